"""The sessions that are kept on the disk: a folder for each, with its last two generations.

A generation is what a session file has inside (`export.archive`): the session, and a note in which
`window.json` is. A folder within the session's is kept and removed with it.

A running studio holds the lock of the folder of its session, so that two studios never write to the
same one. A folder whose last note does not say that the session was closed, and which nobody has
locked, belongs to a studio that crashed or was killed.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import msgspec
from PyQt6.QtCore import QLockFile

from ldam_studio.errors import StudioError
from ldam_studio.export.session_file import SUFFIX, save_session
from ldam_studio.files import read_state, remove_temporaries, write_state
from ldam_studio.gui.session.note import Note

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState

GENERATIONS = 2  # of a running session, so that one is whole while the other is written
MOST_SESSIONS = 12
MOST_BYTES = 2**30  # of all sessions together; the newest is always kept
ASKEW_S = 60  # by which the clocks of computers with the same folder may differ
BRIEF_S = 60  # a session that ran longer takes a person's time to be had again
NOTE, LOCK = ".json", "lock"
Moment = Annotated[float, msgspec.Meta(ge=0, le=2**36)]
"""Seconds since the epoch, up to a year that dates have."""


class _Kept(msgspec.Struct):
    saved: Moment
    closed: bool
    note: Note
    worked_on: bool = True


@dataclass(frozen=True)
class Kept:
    """One generation of a session on the shelf.

    Attributes
    ----------
    folder
        The folder of the session.
    file
        Its file, of this generation.
    saved
        When it was written, in seconds since the epoch.
    closed
        Whether the session was left in an orderly way after that.
    note
        How the window showed it.
    worked_on
        Whether something was changed in it, or it ran for a minute; any other is soon had again.
    """

    folder: Path
    file: Path
    saved: float
    closed: bool
    note: Note
    worked_on: bool

    @property
    def when(self) -> str:
        """The time at which it was written, in words; with the date unless that is today."""
        moment = datetime.fromtimestamp(self.saved)
        today = moment.date() == datetime.now().date()
        return f"{moment:%H:%M}" if today else f"{moment.day} {moment:%B, %H:%M}"


class Place:
    """The folder of a running session, locked until `leave`.

    Its methods are called from one thread at a time.
    """

    def __init__(self, folder: Path, lock: QLockFile) -> None:
        self.folder = folder
        self._lock = lock
        self._number, file = max(_generations(folder), default=(0, None))
        former = None if file is None else _read(folder, file)
        self._worked_on = former is not None and former.worked_on
        self._began = time.monotonic()

    def save(self, state: SessionState, note: Note, *, closed: bool) -> None:
        """Write the next generation and remove what is older than the one before it.

        Raises
        ------
        StudioError
            If it cannot be written; the generations before it stay.
        """
        number = self._number + 1
        name = f"{number:06}"
        # The note comes first: a generation counts once its session is there.
        self._worked_on |= any(entry.name != "plan" for entry in state.log)
        self._worked_on |= time.monotonic() - self._began > BRIEF_S
        kept = _Kept(time.time(), closed, note, self._worked_on)
        write_state(self.folder / f"{name}{NOTE}", msgspec.json.encode(kept))
        save_session(state, self.folder / f"{name}{SUFFIX}")
        self._number = number
        self._remove_before(number if closed else number - GENERATIONS + 1)

    def close(self) -> None:
        """Say that the session was left as it was last saved."""
        note = self.folder / f"{self._number:06}{NOTE}"
        with suppress(StudioError, msgspec.DecodeError):
            kept = msgspec.json.decode(read_state(note), type=_Kept)
            kept.closed = True
            write_state(note, msgspec.json.encode(kept))
            self._remove_before(self._number)

    def leave(self) -> None:
        """Let other studios continue this session. A folder without a session is removed."""
        if any(_generations(self.folder)):
            self._lock.unlock()
        else:
            self.remove()

    def remove(self) -> None:
        """Remove the session with its folder, unless another studio takes the folder just then."""
        with suppress(OSError):
            for file in self.folder.iterdir():
                if file.is_dir() and not file.is_symlink():
                    shutil.rmtree(file, ignore_errors=True)
                elif file.name != LOCK:
                    file.unlink(missing_ok=True)
        self._lock.unlock()  # this removes the file of the lock
        with suppress(OSError):
            self.folder.rmdir()

    def _remove_before(self, number: int) -> None:
        for older, file in _generations(self.folder):
            if older < number:
                file.unlink(missing_ok=True)
                _note_of(file).unlink(missing_ok=True)


class Shelf:
    """All sessions that are kept.

    Parameters
    ----------
    folder
        Their common folder, which is created when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> Place:
        """Return a place for a new session; old sessions make room for it.

        Raises
        ------
        StudioError
            If the folder cannot be created.
        """
        self.tidy()
        folder = self.folder / f"{datetime.now():%Y%m%d-%H%M%S}-{token_hex(4)}"
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StudioError(
                f"{self.folder} cannot be written to ({error.strerror or error}); sessions are not "
                "kept until it can."
            ) from None
        place = self.take(folder)
        assert place is not None
        return place

    def take(self, folder: Path) -> Place | None:
        """Return the place of a session that was left; None if another studio runs it."""
        lock = QLockFile(str(folder / LOCK))
        lock.setStaleLockTime(0)  # a session may run for days; a dead process never holds a lock
        if not folder.is_dir() or not lock.tryLock(0):
            return None
        remove_temporaries(folder)  # of a studio that was killed, since nobody else writes here
        return Place(folder, lock)

    def sessions(self) -> list[list[Kept]]:
        """Return the sessions that no studio runs, the newest first; of each, the newest first.

        Damaged notes are passed over.
        """
        found = []
        for folder in self._folders():
            # Without the file of a lock nobody has one; taking it would be in the way of others.
            if (folder / LOCK).exists():
                place = self.take(folder)
                if place is None:
                    continue
                place.leave()
            kept = [_read(folder, file) for _, file in reversed(list(_generations(folder)))]
            if whole := [one for one in kept if one is not None]:
                found.append(whole)
        # What was saved in the future was saved before the clock was set right.
        now = time.time() + ASKEW_S
        return sorted(found, key=lambda one: (one[0].saved <= now, one[0].saved), reverse=True)

    def tidy(self) -> None:
        """Remove sessions where there are more than a reasonable number or size.

        The oldest go first, but before all others those that nobody worked on: who opens the start
        session often must not lose another one by that.
        """
        room, keep = MOST_BYTES, MOST_SESSIONS - 1
        found = self.sessions()
        found[1:] = sorted(found[1:], key=lambda one: one[0].closed and not one[0].worked_on)
        for number, session in enumerate(found):
            place = self.take(session[0].folder)
            if place is None:
                continue  # another studio goes on with it
            room -= sum(file.lstat().st_size for file in place.folder.rglob("*"))
            if number and (number >= keep or room < 0):
                place.remove()
            else:
                place.leave()

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [folder for folder in self.folder.iterdir() if _is_own(folder)]


def _is_own(folder: Path) -> bool:
    """Return whether this is a folder of the shelf: what a link leads to is never tidied up."""
    return folder.is_dir() and not folder.is_symlink()


def _generations(folder: Path) -> list[tuple[int, Path]]:
    """Return the numbers and files of a session's generations, the oldest first."""
    files: list[Path] = []
    with suppress(FileNotFoundError):  # somebody has removed it meanwhile
        files = [file for file in folder.iterdir() if file.name.endswith(SUFFIX)]
    numbers = [(file.name.removesuffix(SUFFIX), file) for file in files]
    return sorted((int(number), file) for number, file in numbers if number.isdecimal())


def _note_of(file: Path) -> Path:
    return file.with_name(file.name.removesuffix(SUFFIX) + NOTE)


def _read(folder: Path, file: Path) -> Kept | None:
    try:
        kept = msgspec.json.decode(read_state(_note_of(file)), type=_Kept)
    except (StudioError, msgspec.DecodeError, RecursionError):
        return None
    return Kept(folder, file, kept.saved, kept.closed, kept.note, kept.worked_on)
