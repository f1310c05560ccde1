"""The action that saves the session, with its window and its filmstrip, as one file."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PyQt6.QtWidgets import QFileDialog

from ldam_studio.engine.state import snapshot
from ldam_studio.engine.unconfirmed import look_back
from ldam_studio.export.archive.contents import SUFFIX
from ldam_studio.export.filmstrip.pins import FOLDER as FILMSTRIP
from ldam_studio.gui.saves import Saves
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion
from ldam_studio.networks.sources.in_memory import is_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.openings import Opening

SAVE = Entry(
    "save",
    "Save Session",
    "Ctrl+S",
    "Save the session to the file that it came from; where there is none, ask for one",
    needs_session=True,
)
SAVE_AS = Entry(
    "save_session",
    "Save Session As…",
    "Ctrl+Shift+S",
    "Save the whole session as one file, which goes on where it was, here or elsewhere",
    needs_session=True,
)
FILES = f"Sessions (*{SUFFIX})"
NOTICE = "save session"  # the key of messages
NO_FILE = (
    "This session cannot be saved: its network is a module in the memory of a Python program, so "
    "that no file of it could be opened. Export a picture or its arrays instead."
)
UNUSUAL = re.compile(r"[^\w.-]+")  # letters that a suggested name has none of
LONGEST_NAME = 60


class Saving(Feature):
    """Saves a copy of the session, taken when the user asks for it.

    Attributes
    ----------
    file
        The file to which the session belongs: from which it came, or to which it was saved last.
    """

    entries = (SAVE, SAVE_AS)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places = studio.places
        places.add_to_menu(
            "File", places.action(SAVE, self.save_again), places.action(SAVE_AS, self.save_as)
        )
        self._question = PatientQuestion(studio, NOTICE, "save the session")
        self._saves = Saves(studio, "save-session")
        self.file: Path | None = None
        studio.controller.opening.connect(lambda _opening: self._leave_session())
        studio.controller.opened.connect(self._take_file)

    def save_again(self) -> None:
        """Save the session after its current step to its file; where it has none, ask for one."""
        self._ask(self._save_again)

    def save_as(self) -> None:
        """Copy the session after its current step, ask for a file, and save it there."""
        self._ask(self._choose)

    def _ask(self, take: Callable[[SessionState], None]) -> None:
        for lane in self.studio.model.outline.lanes if self.studio.model.is_open else ():
            if is_in_memory(lane.network.name):
                self.studio.notices.say(NO_FILE, "warning", key=NOTICE)
                return
        self._question.ask(snapshot, take)

    def remember(self) -> dict[str, str]:
        """Remember the file to which the session belongs."""
        return {} if self.file is None else {"file": str(self.file)}

    def leave(self) -> None:
        """Cancel a save that is still waiting for the session."""
        self._question.cancel()

    def close(self) -> None:
        """Wait until all sessions are saved."""
        self._saves.close()

    def _leave_session(self) -> None:
        controller = self.studio.controller
        if controller.way_back is not None:
            controller.way_back = replace(controller.way_back, file=self.file)

    def _take_file(self, opening: Opening) -> None:
        self.file = opening.file
        # Another session than the one that remembered it may have been opened in its place.
        remembered = opening.remembered.get("saving", {}).get("file")
        if self.file is None and opening.kept is not None and isinstance(remembered, str):
            self.file = Path(remembered)

    def _save_again(self, state: SessionState) -> None:
        if self.file is None:
            self._choose(state)
        else:
            self.save(state, self.file)

    def _choose(self, state: SessionState) -> None:
        # What belongs to the session is taken now: the dialog may be open while another one opens.
        write, current = self._writer(state), self.studio.controller.current
        name = UNUSUAL.sub("-", self.studio.model.title).strip("-.")[:LONGEST_NAME] or "session"
        path = self.ask_where(self.file or Path(self.studio.start_folder) / f"{name}{SUFFIX}")
        if path is not None:
            self.studio.start_folder = str(path.parent)
            if self.studio.controller.current is current:
                self.file = path
            self._start(path, write)

    def ask_where(self, suggested: Path) -> Path | None:
        """Ask for the file; None if the user does not want to save after all."""
        dialog = QFileDialog(
            self.studio.places.root, "Save the session", str(suggested.parent), FILES
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # So that it also asks before it replaces a file whose suffix was not typed.
        dialog.setDefaultSuffix(SUFFIX)
        dialog.selectFile(suggested.name)
        chosen = dialog.selectedFiles() if dialog.exec() else []
        dialog.deleteLater()
        return Path(chosen[0]) if chosen else None

    def save(self, state: SessionState, path: Path) -> None:
        """Save a session, as the window shows it, on a thread of its own."""
        self._start(path, self._writer(state))

    def _start(self, path: Path, write: Callable[[Path], str]) -> None:
        self._saves.start(path, partial(write, path), stoppable=True)

    def _writer(self, state: SessionState) -> Callable[[Path], str]:
        """Return what writes a session as the window shows it now."""
        window = msgspec.json.encode(self.studio.note().impersonal())
        strip = self.studio.session_folder.submit(lambda folder: folder / FILMSTRIP)
        return partial(_save, state, window, strip)


def _save(state: SessionState, window: bytes, strip: Future[Path], path: Path) -> str:
    from ldam_studio.export.archive.saving import save_archive

    look_back(state)
    # A session that cannot be kept has no filmstrip; saving it is then all the more important.
    filmstrip = None if strip.exception() else strip.result()
    kept = save_archive(state, path, window, filmstrip)
    words = f"Saved {path}"
    if kept.files:
        files = " and ".join(file.name for file in kept.overwritten)
        copies = " and ".join(file.name for file in kept.files)
        words += f"; the training overwrites {files}, so that the session needs {copies} beside it"
    return f"{words}."
