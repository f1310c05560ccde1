"""What other threads ask of a running session: commands in order, frames, and to close.

Only two requests bypass the queue of commands: frames, because they change nothing, and `close`,
which takes effect at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.commands import (
    Command,
    CommandQueue,
    MaxRate,
    Pause,
    Play,
    Question,
    ReturnTo,
    Steps,
)
from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.recording.observers import Observer, Observers
from ldam_studio.engine.state import SessionState
from ldam_studio.sampler.settings import SETTINGS

T = TypeVar("T")


class Inbox:
    """The base class of the runner with the methods that may be called from any thread.

    Commands are carried out in the order in which they were posted. Posting never blocks; it
    returns the command's number (see `Frame.commands_seen`).
    """

    def __init__(self) -> None:
        self._queue = CommandQueue()
        self._wake = threading.Condition()
        self._closed = False
        self._request: FrameRequest | None = None
        self._observers = Observers()

    def post(self, name: str, value: Any = None, lane: int | None = None) -> int:
        """Post a change (see `engine.changes`), or a new value of the setting "max_rate".

        Raises
        ------
        StudioError
            If the value of "max_rate" is not valid.
        """
        if name == "max_rate":
            return self._post(MaxRate(SETTINGS["max_rate"].check(value)))
        return self._post(Change(name, value, lane))

    def play(self) -> int:
        """Run until paused."""
        return self._post(Play())

    def pause(self) -> int:
        """Pause after the step in progress."""
        return self._post(Pause())

    def step(self, count: int = 1) -> int:
        """Take `count` steps and pause."""
        return self._post(Steps(count))

    def ask(self, question: Callable[[SessionState], T]) -> Future[T]:
        """Call `question` with the session's state on the runner's thread, between two steps.

        Changes posted before the question have taken effect by then, later ones have not. A waiting
        question can be cancelled.
        """
        future: Future[T] = Future()
        self._post(Question(question, future))
        if self._closed:
            future.cancel()
        return future

    def return_to(self, moment: SessionState | Future[SessionState]) -> int:
        """Return the session to a snapshot, or to one that an earlier question asked for."""
        return self._post(ReturnTo(moment))

    def observe(self, observer: Observer) -> None:
        """Call `observer` on the runner's thread after each further step and change."""
        self._observers.add(observer)

    def close(self) -> None:
        """End `run` after the step in progress and the changes posted before.

        Questions that are asked later are cancelled.
        """
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def request_frame(self, request: FrameRequest) -> None:
        """Request one frame, to be put into `mailbox`; a newer request replaces an older one."""
        with self._wake:
            self._request = request
            self._wake.notify_all()

    def _post(self, command: Command) -> int:
        number = self._queue.post(command)
        with self._wake:
            self._wake.notify_all()
        return number

    def _cancel_questions(self) -> None:
        while (taken := self._queue.take()) is not None:
            if isinstance(taken[1], Question):
                taken[1].answer.cancel()
