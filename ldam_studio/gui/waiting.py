"""Asks the session a question; while the answer takes long, a notice offers to cancel it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ldam_studio.gui.session.asking import Question

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.studio import Studio

T = TypeVar("T")


class PatientQuestion:
    """Asks the current session questions on behalf of a feature.

    Parameters
    ----------
    studio
        The port.
    key
        Key of the notice; unique to the feature that asks.
    purpose
        Why the feature asks, to complete "Waiting for the current step to end, to ...".

    Attributes
    ----------
    ended
        A signal, emitted when the question was answered or cancelled.
    """

    def __init__(self, studio: Studio, key: str, purpose: str) -> None:
        self._studio, self._key, self._purpose = studio, key, purpose
        self._question = Question(studio.controller, studio.places.root)
        self._question.waiting.connect(self._say)
        self.ended = self._question.ended
        self.ended.connect(lambda: studio.notices.dismiss(key))

    def ask(self, question: Callable[[SessionState], T], then: Callable[[T], object]) -> None:
        """Ask `question`, and call `then` with the answer once the current step has ended."""
        self._question.ask(question, then)

    def cancel(self) -> None:
        """Cancel the question that is waiting for its answer, if there is one."""
        self._question.cancel()

    def _say(self) -> None:
        self._studio.notices.say(
            f"Waiting for the current step to end, to {self._purpose} …",
            actions=(("Cancel", self.cancel),),
            key=self._key,
        )
