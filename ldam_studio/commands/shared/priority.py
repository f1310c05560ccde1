"""The priority of a process that works in the background of another program."""

from __future__ import annotations

import contextlib
import sys

import psutil

NICE = 10


def give_way() -> None:
    """Lower this process's priority, so that the window and its sampler run first."""
    low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().nice(low)
