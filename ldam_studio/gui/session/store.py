"""Saves the window's looks and its session, for the next start."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, state_folder, write_bytes
from ldam_studio.gui.session.model import Display
from ldam_studio.gui.session.openings import Opening, start
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.outline import Outline
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.model import Model

VERSION = 1
FRESH = "The record of the last session is damaged ({}), so the studio starts with the ten digits."


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
    across: list[int]
    middle: list[int]
    panels: dict[str, bool]
    theme: str


class Note(msgspec.Struct):
    """What is saved about a session in addition to its file; most fields are those of `Opening`.

    Attributes
    ----------
    network
        Name of the network in the first lane; empty if unknown.
    code
        Names of the networks in the user's own code; empty if there are none.
    features
        The values that each feature remembers, by the feature's name.
    watched, beside
        Written by version 0.1.0 only: the watched folder or file, and the title of the second
        network.
    """

    title: str
    rows: list[str]
    front: int
    mode: Literal["image", "signed"]
    scale: float | None
    hint: str
    max_rate: int
    network: str = msgspec.field(default="", name="watched_as")
    lane_titles: dict[int, str] = msgspec.field(default_factory=dict)
    code: str = ""
    features: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    watched: str | None = None
    beside: str = msgspec.field(default="", name="second_title")

    @classmethod
    def of(cls, model: Model, hint: str, features: dict[str, dict[str, Any]]) -> Note:
        """Return a note about the current session."""
        return cls(
            title=model.title,
            rows=list(model.rows),
            front=model.front,
            mode="image" if model.display.mode == "image" else "signed",
            scale=model.display.scale,
            hint=hint,
            max_rate=model.max_rate,
            network=model.outline.lane.network.name if model.is_open else "",
            lane_titles=model.lane_titles() if model.is_open else {},
            code=_code_of(model.outline) if model.is_open else "",
            features=features,
        )

    def remembered(self) -> dict[str, dict[str, Any]]:
        """Return the values that each feature remembers, by the feature's name."""
        if self.watched is None:
            return self.features
        return {"watching": {"place": self.watched, "network": self.network}} | self.features


class _Version(msgspec.Struct):
    version: Any = None


class _File(msgspec.Struct):
    version: int
    window: Looks
    session: Note | None
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
    """Reads and writes two files: the window as JSON, and the session (chains, averages, log).

    Parameters
    ----------
    folder
        Folder of both files, created when something is saved; None for the usual folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else state_folder()
        self.window_file = self.folder / "window.json"
        self.session_file = self.folder / "last.ldam-session.safetensors"

    # At the start

    def recall(self, device: Device, data: Path | None = None) -> Recalled:
        """Return the looks of the window and how to open the last session.

        Missing or damaged parts have the values of a first start.
        """
        first = start(device, data)
        try:
            found = self._read()
            if found is None:
                return Recalled(first)
            complaints = (_unsaved_words(found.unsaved),) if found.unsaved else ()
            opening = self._opening(first, device, found.session)
        except StudioError as error:
            return Recalled(first, complaints=(str(error),))
        network = "" if found.session is None else found.session.network
        return Recalled(opening, found.window, complaints, network)

    def _read(self) -> _File | None:
        """Return the window's file; None if there is none, or if its version is unknown."""
        if not self.window_file.exists():
            return None
        written = read_bytes(self.window_file)
        try:
            if msgspec.json.decode(written, type=_Version).version != VERSION:
                return None
            return msgspec.json.decode(written, type=_File)
        except (msgspec.DecodeError, RecursionError):
            raise StudioError(FRESH.format(self.window_file.name)) from None

    def _opening(self, first: Opening, device: Device, note: Note | None) -> Opening:
        if note is None or not self.session_file.exists():
            return first
        from ldam_studio.export.session_file import read_session

        remembered = note.remembered()
        again = Opening(
            title=note.title,
            # The user's own code runs only after a click, see below.
            make=lambda: read_session(
                self.session_file, device, opener=Opener(allow_code=bool(note.code))
            ),
            display=Display(note.mode, note.scale),
            rows=tuple(note.rows),
            front=note.front,
            hint=note.hint,
            max_rate=int(SETTINGS["max_rate"].check(note.max_rate)),
            # Features get their remembered values even if the session cannot be opened.
            fallback=replace(first, remembered=remembered),
            lane_titles=note.lane_titles or ({1: note.beside} if note.beside else {}),
            remembered=remembered,
        )
        if not note.code:
            return again
        said = f"The last session runs your own code, {note.code}, so it was not opened."
        return replace(first, note=said, offered=again)

    # At the end

    def save(
        self, looks: Looks, note: Note, answer: Future[bytes] | None, unsaved: str = ""
    ) -> None:
        """Save the window and the session.

        A failure is reported in the terminal and at the next start; it is not raised.

        Parameters
        ----------
        looks
            The looks of the window.
        note
            The note about the session.
        answer
            The bytes of the session's file; None keeps the session that was saved before.
        unsaved
            Why the session is not saved; empty if it is.
        """
        saved = False
        if answer is not None:
            try:
                write_bytes(self.session_file, answer.result(0))
                saved = True
            except Exception as error:
                # The window must close, whatever prevents the session from being written.
                unsaved = str(error) or "the sampler did not answer"
        if unsaved:
            print_unsaved(unsaved)
        self._write(looks, note if saved else self._kept_note(), unsaved)

    def note_unsaved(self, looks: Looks, unsaved: str) -> None:
        """Record that the session was not saved; a later `save` replaces this record."""
        self._write(looks, self._kept_note(), unsaved)

    def _write(self, looks: Looks, note: Note | None, unsaved: str) -> None:
        data = msgspec.json.encode(_File(VERSION, looks, note, unsaved))
        try:
            write_bytes(self.window_file, msgspec.json.format(data, indent=1))
        except StudioError as error:
            print_unsaved(str(error))

    def _kept_note(self) -> Note | None:
        """Return the note about the session file that was saved before; None if unknown."""
        try:
            found = self._read()
        except StudioError:
            return None
        return None if found is None else found.session


def bytes_of(state: SessionState) -> bytes:
    """Return the bytes of a session's file."""
    from ldam_studio.export.session_file import session_bytes

    return session_bytes(state, history=True)


def print_unsaved(reason: str) -> None:
    """Print that the session was not saved; a window that closes cannot show it."""
    print(f"ldam-studio: the session was not saved: {reason}", file=sys.stderr)


def _unsaved_words(reason: str) -> str:
    return (
        f"The last session was not saved ({reason.rstrip('.')}); what the studio remembers is an "
        "earlier one."
    )


def _code_of(outline: Outline) -> str:
    """Return the names of a session's networks in the user's own code; empty if none."""
    names = dict.fromkeys(lane.network.name for lane in outline.lanes)
    return " and ".join(name for name in names if runs_code(name))
