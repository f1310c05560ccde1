"""What the studio remembers between starts: the window's looks, and the sessions on the shelf."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.export.session_file import SUFFIX
from ldam_studio.files import (
    read_state,
    remove_temporaries,
    set_aside,
    state_folder,
    write_state,
)
from ldam_studio.gui.session.kept import continuing, former
from ldam_studio.gui.session.note import Note, Pixels
from ldam_studio.gui.session.openings import Opening, start
from ldam_studio.gui.session.shelf import Shelf

if TYPE_CHECKING:
    from ldam_studio.engine.compute.device import Device

VERSION = 1
OLD_S = 60.0  # no file here takes as long to write, also by another studio


class Looks(msgspec.Struct):
    """The looks of the window.

    Attributes
    ----------
    geometry
        Position and size, in Qt's own format.
    across, middle
        Sizes of the columns, and of images, strip and traces, in logical pixels.
    panels
        Whether the user wants to see each side, by the side's name.
    theme
        ``"system"``, ``"dark"`` or ``"light"``.
    """

    geometry: bytes
    across: list[Pixels]
    middle: list[Pixels]
    panels: dict[str, bool]
    theme: str


class _Version(msgspec.Struct):
    version: Any = None


class _File(msgspec.Struct):
    """The content of the window's file; `session` was written by version 0.1.0 only."""

    version: int
    window: Looks
    session: Note | None = None
    unsaved: str = ""


@dataclass(frozen=True)
class Recalled:
    """What the store remembers at the start of the studio.

    Attributes
    ----------
    opening
        How to open the last session; the ten digits if there is none.
    looks
        The looks of the window; None at the first start.
    complaints
        Sentences about what could not be saved or read.
    network
        Name of the network that the last session showed; empty if unknown.
    """

    opening: Opening
    looks: Looks | None = None
    complaints: tuple[str, ...] = ()
    network: str = ""


class SessionStore:
    """Reads and writes the window's looks, and has the shelf with the sessions.

    Parameters
    ----------
    folder
        Folder of all that is remembered, created when something is saved; None for the usual one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else state_folder()
        self.window_file = self.folder / "window.json"
        self.former_session = self.folder / f"last{SUFFIX}"  # where version 0.1.0 kept it
        self.shelf = Shelf(self.folder / "sessions")

    def recall(self, device: Device, data: Path | None = None) -> Recalled:
        """Return the looks of the window and how to open the last session.

        Missing or damaged parts have the values of a first start.
        """
        first = start(device, data)
        remove_temporaries(self.folder, OLD_S)
        complaints: list[str] = []
        try:
            found = self._read()
        except StudioError as error:
            complaints.append(str(error))
            found = None
        if found is not None and found.unsaved:
            complaints.append(_unsaved_words(found.unsaved))
        looks = None if found is None else found.window
        sessions = self.shelf.sessions()
        if sessions:
            opening = continuing(sessions, device, first)
            return Recalled(opening, looks, tuple(complaints), sessions[0][0].note.network)
        note = None if found is None else found.session
        if note is not None and self.former_session.exists():
            opening = former(self.former_session, note, device, first)
            return Recalled(opening, looks, tuple(complaints), note.network)
        return Recalled(first, looks, tuple(complaints))

    def _read(self) -> _File | None:
        """Return the window's file, None if there is none; what cannot be read is set aside."""
        if not self.window_file.exists():
            return None
        try:
            written = read_state(self.window_file)
        except StudioError:
            set_aside(self.window_file)
            raise
        try:
            if msgspec.json.decode(written, type=_Version).version == VERSION:
                return msgspec.json.decode(written, type=_File)
            what = "is of another version of the program"
        except (msgspec.DecodeError, RecursionError):
            what = "is damaged"
        aside = set_aside(self.window_file)
        raise StudioError(
            f"The record of the window's looks {what}, so it was set aside as {aside.name}; the "
            "window looks as at the first start."
        )

    def save_looks(self, looks: Looks, unsaved: str = "") -> None:
        """Save the looks of the window; a failure is reported in the terminal.

        Parameters
        ----------
        looks
            The looks of the window.
        unsaved
            Why the session was not saved at its end; empty if it was. The next start says so.
        """
        if unsaved:
            print_unsaved(unsaved)
        former = None
        with suppress(StudioError):
            found = self._read()
            former = None if found is None else found.session
        data = msgspec.json.encode(_File(VERSION, looks, former, unsaved))
        try:
            write_state(self.window_file, msgspec.json.format(data, indent=1))
        except StudioError as error:
            print_unsaved(str(error))


def print_unsaved(reason: str) -> None:
    """Print that something was not saved; a window that closes cannot show it."""
    print(f"ldam-studio: the session was not saved: {reason}", file=sys.stderr)


def _unsaved_words(reason: str) -> str:
    return (
        f"The last session was not saved at its end ({reason.rstrip('.')}); what the studio "
        "remembers is older."
    )
