"""The action that saves the session, with its window and its filmstrip, as one file."""

from __future__ import annotations

import re
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

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ldam_studio.engine.state import SessionState

SAVE_AS = Entry(
    "save_session",
    "Save Session As…",
    "Ctrl+Shift+S",
    "Save the whole session as one file, which goes on where it was, here or elsewhere",
    needs_session=True,
)
FILES = f"Sessions (*{SUFFIX})"
UNUSUAL = re.compile(r"[^\w.-]+")  # letters that a suggested name has none of
LONGEST_NAME = 60


class Saving(Feature):
    """Saves a copy of the session, taken when the user asks for it."""

    entries = (SAVE_AS,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        studio.places.add_to_menu("File", studio.places.action(SAVE_AS, self.save_as))
        self._question = PatientQuestion(studio, "save session", "save the session")
        self._saves = Saves(studio, "save-session")

    def save_as(self) -> None:
        """Copy the session after its current step, ask for a file, and save it there."""
        self._question.ask(snapshot, self._choose)

    def leave(self) -> None:
        """Cancel a save that is still waiting for the session."""
        self._question.cancel()

    def close(self) -> None:
        """Wait until all sessions are saved."""
        self._saves.close()

    def _choose(self, state: SessionState) -> None:
        name = UNUSUAL.sub("-", self.studio.model.title).strip("-.")[:LONGEST_NAME] or "session"
        path = self.ask_where(Path(self.studio.start_folder) / f"{name}{SUFFIX}")
        if path is not None:
            self.studio.start_folder = str(path.parent)
            self.save(state, path)

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
        window = msgspec.json.encode(self.studio.note().impersonal())
        strip = self.studio.session_folder.submit(lambda folder: folder / FILMSTRIP)
        self._saves.start(path, partial(_save, state, path, window, strip), stoppable=True)


def _save(state: SessionState, path: Path, window: bytes, strip: Future[Path]) -> str:
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
