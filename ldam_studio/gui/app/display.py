"""Tests whether a window can be shown; it does so before Qt is imported."""

from __future__ import annotations

import os
import socket
import sys


def no_display() -> str:
    """Return why no window can be shown; empty if one can.

    Qt cannot be used for this test: it ends the process if it finds no display.
    """
    if os.environ.get("QT_QPA_PLATFORM") or sys.platform in ("win32", "darwin"):
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if host in ("", "unix") and number.isdecimal() and not _local_display_answers(number):
        return f"the display {display} does not answer"
    return ""


def _local_display_answers(number: str) -> bool:
    """Return whether an X server answers at this display's socket, in a file or abstract.

    Parameters
    ----------
    number
        The display's number, such as ``"0"``.
    """
    path = f"/tmp/.X11-unix/X{number}"
    for address in (path, "\0" + path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False
