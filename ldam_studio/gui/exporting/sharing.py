"""The action that copies a link to the current moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtGui import QGuiApplication

from ldam_studio.engine.state import snapshot
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.shown import Shown

COPY_LINK = Entry(
    "copy_link",
    "Copy Link",
    "Ctrl+Alt+C",
    "Put a line of text on the clipboard that opens this moment of the session elsewhere",
    needs_session=True,
)


class Sharing(Feature):
    """Copies links, which carry a recipe as a line of text."""

    entries = (COPY_LINK,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        action = studio.places.action(COPY_LINK, self.copy)
        studio.places.add_to_menu("Edit", action)
        studio.places.add_to_image_menu(action)
        self._question = PatientQuestion(studio, "link", "copy the link")
        self._task: Task | None = None

    def copy(self) -> None:
        """Put a link to the front chain's average, or else its raw sample, on the clipboard."""
        from ldam_studio.export.shown import Shown

        model = self.studio.model
        shown = Shown("average", model.front, model.display.mode, model.display.scale)
        self._question.ask(snapshot, lambda state: self._make(state, shown))

    def leave(self) -> None:
        """Abandon a link that is still being made."""
        self._question.cancel()
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _make(self, state: SessionState, shown: Shown) -> None:
        self.leave()
        self._task = Task(lambda _task: _link(state, shown))
        self._task.setObjectName("link")
        self._task.done.connect(self._take)
        self._task.failed.connect(lambda error: self.studio.notices.say(str(error), "warning"))
        self._task.start()

    def _take(self, link: str) -> None:
        present(QGuiApplication.clipboard()).setText(link)
        self.studio.notices.say(
            f"A link of {len(link):,} letters is on the clipboard; File ▸ Open Link… opens it."
        )


def _link(state: SessionState, shown: Shown) -> str:
    from ldam_studio.export.links import link_of

    if any(not bool(lane.shown_average().count[shown.front] > 0) for lane in state.lanes):
        shown = replace(shown, what="raw")
    return link_of(state, shown)
