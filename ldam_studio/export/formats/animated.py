"""Telling animations from single pictures by the beginning of their files."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import opened

HEAD = 4096  # bytes; Pillow would read all of a WebP file
VP8X, MOVES = slice(12, 16), 20
"""In a WebP file: the place of its extended header, and the byte whose second bit is animation."""


def is_animation(path: Path) -> bool:
    """Return whether a file is an animated PNG, WebP or GIF; also if it cannot be read, it is none.

    Parameters
    ----------
    path
        Anything; only the beginning of a regular file is read.
    """
    try:
        with opened(path) as file:
            head = file.read(HEAD)
    except (StudioError, OSError):
        return False
    if head.startswith(b"\x89PNG"):
        return b"acTL" in head.partition(b"IDAT")[0]
    if head.startswith(b"RIFF"):
        return head[VP8X] == b"VP8X" and len(head) > MOVES and bool(head[MOVES] & 2)
    return head.startswith(b"GIF8") and b"NETSCAPE2.0" in head
