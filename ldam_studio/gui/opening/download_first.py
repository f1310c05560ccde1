"""Asks before it downloads weights that the user has not asked for, but that a file needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ldam_studio.gui.network_dialog.card import size_words
from ldam_studio.gui.network_dialog.source import list_models
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.download import fetch
from ldam_studio.networks.sources.families import family_of, short_name, to_download

if TYPE_CHECKING:
    from ldam_studio.errors import StudioError
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.sources.family import Published

KEY = "download"


class DownloadFirst(QObject):
    """Opens a session once the published weights of its networks are on this computer.

    If weights are missing, the message bar offers to download them. The current session continues
    until then.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self._task: Task | None = None

    def open(self, opening: Opening) -> None:
        """Open a session, or offer the download of weights that are missing."""
        self.leave()
        name, *_ = opening.published
        self._start(Task(partial(_look, name)), partial(self._on_known, opening))

    def leave(self) -> None:
        """Abandon the search for weights or their download."""
        if self._task is not None:
            self._task.leave()
            self._task = None
        self._studio.notices.dismiss(KEY)

    def _start(self, task: Task, done: Callable[..., object]) -> None:
        self._task = task
        task.setObjectName("download-first")
        task.done.connect(done)
        task.failed.connect(self._on_failed)
        task.start()

    def _on_known(self, opening: Opening, published: Published | None) -> None:
        if published is None:
            self._open(opening)
            return
        self.leave()
        name = short_name(opening.published[0])
        self._studio.notices.say(
            f"{opening.title} was made with {name}, whose published weights are not on "
            f"this computer ({published.file}).",
            actions=(("Download and open", partial(self._fetch, published, opening)),),
            key=KEY,
        )

    def _fetch(self, published: Published, opening: Opening) -> None:
        task = Task(lambda task: fetch(published.url, task.progress, file=published.file))
        task.progressed.connect(partial(self._on_progress, published))
        self._start(task, partial(self._on_fetched, opening))
        self._studio.notices.say(
            f"Downloading {published.file} …", actions=(("Stop", self.leave),), key=KEY
        )

    def _on_progress(self, published: Published, had: int, size: int) -> None:
        self._studio.notices.retell(KEY, f"Downloading {published.file}: {size_words(had, size)}")

    def _on_fetched(self, opening: Opening, _path: object) -> None:
        self._open(opening)

    def _open(self, opening: Opening) -> None:
        self._studio.open(replace(opening, published=opening.published[1:]))

    def _on_failed(self, error: StudioError) -> None:
        self.leave()
        self._studio.notices.say(str(error), "danger")


def _look(name: str, _task: Task) -> Published | None:
    if family_of(name).is_library:
        list_models()  # imports the library in a way that does not freeze the window
    return to_download(name)
