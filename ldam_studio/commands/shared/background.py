"""A command as a process in the background of another program: quiet, and never left alone."""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
import time

from ldam_studio.atlas.command import Progress
from ldam_studio.commands.shared.priority import give_way
from ldam_studio.progress import Stage

EVERY_S = 0.3
"""Seconds between two lines about progress."""
PATIENCE_S = 3.0
"""Seconds in which the command may end by itself; workers end with the process that made them."""


def stay_behind() -> None:
    """Take a low priority, and end as after Ctrl-C once standard input is closed.

    A program that started this one closes it, also by being killed.
    """
    give_way()
    threading.Thread(target=_wait_for_the_end, name="standard-input", daemon=True).start()


def _wait_for_the_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            continue
    _thread.interrupt_main()
    time.sleep(PATIENCE_S)
    os._exit(130)


class Lines:
    """Prints a line on standard output about how far the work is, from time to time."""

    def __init__(self) -> None:
        self._said, self._doing = 0.0, ""

    def tell(self, stage: Stage) -> None:
        """Say a stage, if it is due."""
        now = time.monotonic()
        last = stage.done == stage.total
        if now - self._said > EVERY_S or stage.doing != self._doing or last:
            self._said, self._doing = now, stage.doing
            print(Progress(stage.doing, stage.done, stage.total).line, flush=True)
