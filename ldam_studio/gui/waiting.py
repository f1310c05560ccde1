"""A question to the session, with a notice that lets a person cancel it while a step takes long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ldam_studio.gui.session.asking import Question

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.studio import Studio

T = TypeVar("T")


class PatientQuestion:
    """Asks the session in front for what a feature needs.

    Parameters
    ----------
    studio
        The port.
    key
        Of the notice; each asker has its own.
    purpose
        What it is for, as in "Waiting for the step under way, to ...".
    """

    def __init__(self, studio: Studio, key: str, purpose: str) -> None:
        self._studio, self._key, self._purpose = studio, key, purpose
        self._question = Question(studio.controller, studio.places.root)
        self._question.waiting.connect(self._say)
        self._question.ended.connect(lambda: studio.notices.dismiss(key))

    def ask(self, question: Callable[[SessionState], T], then: Callable[[T], object]) -> None:
        """Ask, and call `then` with the answer once the step under way has ended."""
        self._question.ask(question, then)

    def cancel(self) -> None:
        """Give the question up, if there is one."""
        self._question.cancel()

    def _say(self) -> None:
        self._studio.notices.say(
            f"Waiting for the step under way to end, to {self._purpose} …",
            actions=(("Cancel", self.cancel),),
            key=self._key,
        )
