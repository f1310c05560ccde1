"""Whether a window can be shown here; asked before Qt is imported."""

from __future__ import annotations

import os
import socket
import sys


def no_display() -> str:
    """Return why no window can be shown here, or an empty text.

    Qt cannot be asked: it ends the process where it finds no display.
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
    """Return whether an X server listens at the socket of that number, in the file system or not.

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
