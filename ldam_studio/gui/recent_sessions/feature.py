"""The menu of sessions that were left, each of which goes on where it was."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QMenu

from ldam_studio.errors import shortened
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.kept import opening_of
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.studio import Feature, Studio

if TYPE_CHECKING:
    from ldam_studio.gui.session.shelf import Kept

LONGEST_TITLE = 60  # letters of a title in the menu


class RecentSessions(Feature):
    """Adds the recent sessions to the File menu."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self.menu = QMenu("Recent &Sessions", studio.places.root)
        self.menu.setToolTipsVisible(True)
        studio.places.add_to_menu("File", present(self.menu.menuAction()))
        # The list is read when the menu opens, so that it does not delay the start.
        studio.places.menu("File").aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        shelf = self.studio.shelf
        sessions = [] if shelf is None else shelf.sessions()
        self.menu.clear()
        for session in sessions:
            kept = session[0]
            title = shortened(kept.note.title, LONGEST_TITLE).replace("&", "&&")
            action = present(self.menu.addAction(f"{kept.when}   {title}"))
            about = [kept.note.network]
            if not kept.closed:
                about.append("The studio did not close properly.")
            action.setToolTip("\n".join(filter(None, about)))
            action.triggered.connect(partial(self._open, session))
        self.menu.setEnabled(bool(sessions))

    def _open(self, session: list[Kept], _on: bool = False) -> None:
        studio, code = self.studio, session[0].note.code
        opening = opening_of(session, studio.device, start(studio.device, studio.data))
        if not code:
            studio.open(opening)
            return
        studio.notices.say(
            f"That session runs your own code, {code}.",
            actions=[("Continue it", partial(studio.open, opening))],
            key="own code",
        )
