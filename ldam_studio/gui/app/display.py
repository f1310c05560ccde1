"""Tests whether a window can be shown; Qt would end the process where it finds no display."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

WAIT_S = 1.0  # for the answer of a display
HELLO = b"l\0\x0b\0" + bytes(8)  # of X11: little endian, version 11.0, no authorisation
ALONE = ("offscreen", "minimal", "vnc")  # platforms of Qt that need no display


def no_display() -> str:
    """Return why no window can be shown; empty if one can."""
    if sys.platform in ("win32", "darwin"):
        return ""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    names = [part.partition(":")[0] for part in chosen.split(";") if part]
    reasons = [_why_not(name) for name in names or ("wayland", "xcb")]
    if "" in reasons:
        return ""
    if not names and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    return next(reason for reason in reversed(reasons) if "not set" not in reason or names)


def _why_not(platform: str) -> str:
    """Return why one of Qt's platforms cannot be used; empty if it can."""
    if platform in ALONE:
        return ""
    if platform == "xcb":
        return _why_not_x11(os.environ.get("DISPLAY", ""))
    if platform.startswith("wayland"):
        return _why_not_wayland(os.environ.get("WAYLAND_DISPLAY", ""))
    known = _platforms()
    if platform in known:
        return ""
    return f"QT_QPA_PLATFORM names {platform[:40]!r}, but Qt has only {', '.join(sorted(known))}"


def _platforms() -> set[str]:
    from PyQt6.QtCore import QLibraryInfo

    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms"
    return {file.stem.removeprefix("libq") for file in folder.glob("libq*.so")}


def _why_not_x11(display: str) -> str:
    if not display:
        return "DISPLAY is not set"
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if host not in ("", "unix"):
        return ""  # another machine, which Qt asks itself
    path = f"/tmp/.X11-unix/X{number}"
    # The socket is a file, or has an abstract name.
    if number.isdecimal() and (_answers(path, HELLO) or _answers("\0" + path, HELLO)):
        return ""
    return f"the display {display[:40]} does not answer"


def _why_not_wayland(display: str) -> str:
    if not display:
        return "WAYLAND_DISPLAY is not set"
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / display
    return "" if _answers(str(path)) else f"the display {display[:40]} does not answer"


def _answers(address: str, hello: bytes = b"") -> bool:
    """Return whether something listens at a socket of this machine, and answers a greeting."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(WAIT_S)
        try:
            probe.connect(address)
            probe.sendall(hello)
            return not hello or bool(probe.recv(1))
        except (OSError, ValueError):
            return False
