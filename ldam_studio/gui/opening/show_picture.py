"""Opens exported pictures: they are shown at once, and their session where the user wants it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ldam_studio.errors import StudioError
from ldam_studio.export.formats.table import AnimationError, NoRecipeError
from ldam_studio.export.links import FIGURES, link_in
from ldam_studio.gui.opening.drop import REFUSED
from ldam_studio.gui.opening.picture_view import PictureView
from ldam_studio.gui.opening.pictures import Picture, Replaying, read_link, read_picture
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio


class ShowPicture(QObject):
    """Reads a picture on a thread of its own and lays it over the images."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self._task: Task | None = None
        self._view: PictureView | None = None
        self._replaying: Replaying | None = None
        self._others_open = False  # whether another session opens since the picture is there
        studio.controller.opening.connect(self._on_opening)
        studio.controller.opened.connect(self._on_opened)

    def open(self, path: Path) -> None:
        """Show a picture, or what a figure shows; a failure is one message."""
        if path.suffix.lower() in FIGURES:
            self._read(lambda: read_link(link_in(path), path), self._say)
        else:
            self._read(lambda: read_picture(path), partial(self._refuse, path))

    def open_link(self, link: str) -> None:
        """Show what a link shows, in words; a failure is one message."""
        self._read(lambda: read_link(link), self._say)

    def _read(self, read: Callable[[], Picture], refuse: Callable[[StudioError], object]) -> None:
        self.leave()
        self._task = Task(lambda _task: read())
        self._task.setObjectName("read-picture")
        self._task.done.connect(self._show)
        self._task.failed.connect(refuse)
        self._task.start()

    def leave(self) -> None:
        """Abandon what is still being read or replayed."""
        if self._task is not None:
            self._task.leave()
            self._task = None
        if self._replaying is not None:
            self._replaying.stopped = True

    def close(self) -> None:
        """Show the session's images again."""
        self._replaying, self._others_open = None, False
        if self._view is not None:
            self._studio.places.cover(None)
            self._view = None

    def _on_opening(self, _opening: Opening) -> None:
        self._others_open = self._view is not None

    def _on_opened(self, _opening: Opening) -> None:
        if self._others_open:
            self.close()

    def _show(self, picture: Picture) -> None:
        self.close()
        view = self._view = PictureView(picture)
        view.from_start.connect(lambda: self._open(picture.from_start()))
        view.going_on.connect(partial(self._go_on, picture))
        view.closed.connect(self.close)
        view.stopped.connect(self.leave)
        self._studio.places.cover(view)

    def _go_on(self, picture: Picture) -> None:
        replaying = Replaying()
        opening = picture.going_on(replaying)
        if self._open(opening) and self._view is not None:
            self._replaying = replaying
            self._view.follow(replaying)

    def _open(self, opening: Opening) -> bool:
        """Open a session; return whether that has begun, since a person's leave may be needed."""
        self._studio.open(opening)
        return self._studio.controller.current is opening

    def _refuse(self, path: Path, error: StudioError) -> None:
        """Say what is wrong with a picture; one without a recipe may be a photograph."""
        if isinstance(error, NoRecipeError):
            try:
                self._studio.bring_photograph(path)
            except StudioError:
                pass  # without a session, the missing recipe is what is wrong
            else:
                said = f"{path.name} contains no recipe and is shown as a photograph."
                if isinstance(error, AnimationError):
                    said = first_image_of(path)
                self._studio.notices.say(said)
                return
        self._say(error)

    def _say(self, error: StudioError) -> None:
        self._studio.notices.say(str(error), "danger", key=REFUSED)


def first_image_of(path: Path) -> str:
    """Return what is said of an animation that was opened."""
    return f"{path.name} is an animation; its first image is shown as a photograph."
