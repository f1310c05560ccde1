"""Opens session files, which are read and checked on a thread of their own."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ldam_studio.gui.opening.saved import saved_opening
from ldam_studio.gui.task import Task
from ldam_studio.progress import StageWords

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.errors import StudioError
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio
    from ldam_studio.progress import Stage

KEY = "saved"
SOON_S = 0.4  # what takes no longer is not said to be going on


class OpenSaved(QObject):
    """Reads a session file and opens its session; until then the current one goes on."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self._task: Task | None = None
        self._began = 0.0

    def open(self, path: Path) -> None:
        """Open the session in a file; a failure is one message."""
        self.leave()
        device, words, self._began = self._studio.device, StageWords(), time.monotonic()
        task = self._task = Task(lambda _task: saved_opening(path, device))
        task.setObjectName("read-session")
        task.staged.connect(partial(self._tell, path, words))
        task.done.connect(self._open)
        task.failed.connect(self._refuse)
        task.start()

    def leave(self) -> None:
        """Abandon what is still being read."""
        if self._task is not None:
            self._task.leave()
            self._task = None
            self._studio.notices.dismiss(KEY)

    def _tell(self, path: Path, words: StageWords, stage: Stage) -> None:
        if time.monotonic() - self._began < SOON_S:
            return
        self._studio.notices.say(
            f"Opening {path.name}: {words.of(stage)} …", actions=(("Cancel", self.leave),), key=KEY
        )

    def _open(self, opening: Opening) -> None:
        self.leave()
        self._studio.open(opening)

    def _refuse(self, error: StudioError) -> None:
        self.leave()
        self._studio.notices.say(str(error), "danger")
