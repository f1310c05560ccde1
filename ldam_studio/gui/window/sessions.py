"""Shows messages about the session: its title, notes, hints and warnings."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.gui.qt import present
from ldam_studio.progress import LONG_S, Stage, StageWords

if TYPE_CHECKING:
    from ldam_studio.gui.session.controller import Controller
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Kind
    from ldam_studio.gui.window.panels import Panels

OPENING = "opening"  # the key of that message


class SessionNotices(QObject):
    """Shows what the controller reports in the message bar, and hints below the images.

    Parameters
    ----------
    open_session
        Opens a session that a message offers.
    keeps
        Whether sessions are kept when others replace them.
    """

    titled = pyqtSignal(str)  # the current session has a new title

    def __init__(
        self,
        controller: Controller,
        panels: Panels,
        open_session: Callable[[Opening], object],
        parent: QObject,
        *,
        keeps: bool,
    ) -> None:
        super().__init__(parent)
        self._keeps = keeps
        self._controller, self._open = controller, open_session
        self._banner, self._canvas = panels.banner, panels.canvas
        self.hint = ""
        self._words, self._opened_at, self._offers_stop = StageWords(), 0.0, False
        model = controller.model
        controller.opening.connect(self._on_opening)
        # A hint tells the user what to do, so it appears only once the session is open.
        controller.opened.connect(self._on_opened)
        controller.staged.connect(self._on_staged)
        for changed in (model.session_changed, model.weights_changed):
            changed.connect(lambda: self.titled.emit(model.whole_title))
        controller.said.connect(self._say)
        controller.spread_told.connect(partial(self._tell, "spread", "info"))
        controller.suited.connect(partial(self._tell, "suited", "info"))
        controller.limited.connect(partial(self._tell, "limited", "warning"))
        controller.melted.connect(lambda: self._set_hint(""))
        controller.raised_unclamped.connect(self._offer_clamp)

    def _on_opening(self, opening: Opening) -> None:
        self._banner.clear()
        # Opening a large network takes longer than reading what is said of its session.
        self._banner.hold()
        back = self._controller.way_back
        offers = [] if back is None else [(f"Back to {back.title}", partial(self._open, back))]
        if opening.offered is not None:
            offers.append(("Continue it", partial(self._open, opening.offered)))
        if opening.note:
            self._banner.say(opening.note, actions=offers, key="note")
        elif back is not None and self._keeps:
            said = f"The session before, {back.title}, is kept among the recent sessions."
            self._banner.say(said, actions=offers, key="note")
        self._set_hint("")
        self._words, self._opened_at, self._offers_stop = StageWords(), time.monotonic(), False
        self.titled.emit(opening.title)

    def _on_staged(self, stage: Stage) -> None:
        """Say what the opening does, and offer to stop it, if it takes long."""
        title, back = present(self._controller.current).title, self._controller.way_back
        words = self._words.of(stage)
        self._canvas.set_empty(
            f"Opening “{title}” …\n{words[:1].upper()}{words[1:]} …",
            "No sample has been averaged yet.",
        )
        if time.monotonic() - self._opened_at < LONG_S or self._offers_stop or back is None:
            return
        self._offers_stop = True
        self._banner.say(
            f"“{title}” takes a while to open.",
            actions=((f"Stop, and go back to {back.title}", self._controller.give_up),),
            key=OPENING,
        )

    def say_lost(self) -> None:
        """Say that the session before this one is not among the recent sessions after all."""
        back = self._controller.way_back
        if back is not None:
            self._banner.say(
                f"The session before, {back.title}, was not saved: going back to it is possible "
                "until the studio is closed.",
                "warning",
                actions=((f"Back to {back.title}", partial(self._open, back)),),
                key="note",
            )

    def say_not_kept(self, sentence: str) -> None:
        """Say why the session is not saved at present."""
        self._banner.say(sentence, "warning", key="not kept")

    def say_no_more_of_saving(self) -> None:
        """Dismiss what `say_not_kept` said, because the window closes."""
        self._banner.dismiss("not kept")

    def _on_opened(self, opening: Opening) -> None:
        self._banner.dismiss(OPENING)
        self._set_hint(opening.hint)
        self._banner.settle()

    def _say(self, text: str, kind: Kind) -> None:
        if kind == "danger":
            self._banner.dismiss(OPENING)  # it has failed
        self._banner.say(text, kind)

    def _tell(self, key: str, kind: Kind, sentence: str) -> None:
        """Say something in place of what was said before; an empty sentence takes that away."""
        if sentence:
            self._banner.say(sentence, kind, key=key)
        else:
            self._banner.dismiss(key)

    def _set_hint(self, text: str) -> None:
        if text != self.hint:
            self.hint = text
            self._canvas.set_hint(text)

    def _offer_clamp(self) -> None:
        self._banner.say(
            "The discriminator was trained on pixels between black and white only; these chains "
            "leave that range.",
            actions=(("Clamp and show as image", self._controller.clamp_and_show_as_image),),
            key="clamp",
        )
