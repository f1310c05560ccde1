"""What a session file holds: these members of a zip archive, and nothing else.

=============================  =====================================================================
``ldam.json``                  `Contents`: the format, the program's version, and each other member
                               with its size and SHA-256
``session.safetensors``        the session with its history, see `export.session_file`
``window.json``                how the window shows it; the window reads and writes it
``filmstrip/filmstrip.json``   the pinned frames, if there are any
``filmstrip/ID.png``           of each of them the picture
``filmstrip/ID.safetensors``   and the session at that moment; beside it perhaps weights that a
                               training overwrites, see `export.kept_weights`
=============================  =====================================================================
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from ldam_studio.engine.description import Sha256, Text
from ldam_studio.errors import StudioError, plain
from ldam_studio.export.filmstrip.pins import FOLDER as FILMSTRIP
from ldam_studio.export.filmstrip.pins import INDEX
from ldam_studio.export.session_file import MOST_BYTES
from ldam_studio.files import MOST_OF_STATE

SUFFIX = ".ldam"
FORMAT = 1
ABOUT, SESSION, WINDOW = "ldam.json", "session.safetensors", "window.json"
PINNED = re.compile(r"filmstrip/[0-9a-f]{12}(\.png|((-\d{1,3})?\.weights)?\.safetensors)")
MOST_MEMBERS = 4096
MOST_OF_ABOUT = 2**21  # bytes; what that many members need is half of it
PNG = b"\x89PNG\r\n\x1a\n"
PART = 2**20  # bytes between two looks whether to go on
SHORTEST = 9  # bytes by which the kind of a member is known
LONGEST_HEADER = 2**27  # bytes; what safetensors allows is less


class Member(Struct, frozen=True):
    """A member's size in bytes, and its SHA-256."""

    size: Annotated[int, Meta(ge=0, le=MOST_BYTES)]
    sha256: Sha256


class Contents(Struct, frozen=True):
    """The content of ``ldam.json``.

    `real_images` is the SHA-256 of the images from which the discriminator learns, if it does.
    """

    format: int
    program: Text
    version: Text
    members: Annotated[dict[Text, Member], Meta(max_length=MOST_MEMBERS)]
    real_images: Sha256 | None = None


class _Version(Struct):
    format: int
    version: Raw = Raw(b"")


def read_contents(data: bytes, where: str) -> Contents:
    """Return what ``ldam.json`` says; `where` names the file.

    Raises
    ------
    StudioError
        If a later version wrote it, or it is damaged.
    """
    try:
        said = msgspec.json.decode(data, type=_Version)
        if said.format > FORMAT:
            raise StudioError(
                f"{where} was saved by a later version of LDAM Studio "
                f"({plain(_words(said.version), 40)}); update this one to open it."
            )
        return msgspec.json.decode(data, type=Contents)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise damaged(where) from None


def _words(version: Raw) -> str:
    return bytes(version)[:100].decode(errors="replace").strip('"')


def damaged(where: str) -> StudioError:
    """Return the error about a file that is not as it was saved."""
    return StudioError(
        f"The session file {where} is damaged, or is none; use the file as it was saved."
    )


def most_bytes(name: str) -> int | None:
    """Return the largest size of a member in bytes; None if no session file has such a member."""
    if name in (SESSION, WINDOW, f"{FILMSTRIP}/{INDEX}"):
        return MOST_BYTES if name == SESSION else MOST_OF_STATE
    return MOST_BYTES if PINNED.fullmatch(name) else None


def wanted(name: str, start: bytes | bytearray) -> int:
    """Return how many bytes of a member are looked at, of which `start` has been read."""
    if name.endswith(".json"):
        return MOST_OF_STATE
    if name != SESSION or len(start) < SHORTEST:
        return SHORTEST
    return 8 + min(int.from_bytes(start[:8], "little"), LONGEST_HEADER)


def is_of_its_kind(name: str, start: bytes | bytearray, size: int) -> bool:
    """Return whether a member of `size` bytes begins like what its name says; see `wanted`."""
    if name.endswith(".png"):
        return start.startswith(PNG)
    if name.endswith(".safetensors"):
        length = int.from_bytes(start[:8], "little")
        return length <= min(size - 8, LONGEST_HEADER) and start[8:9] == b"{"
    try:
        # Nothing is made of what is inside, which would take many times its size.
        msgspec.json.decode(start, type=dict[str, Raw])
        return True
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
