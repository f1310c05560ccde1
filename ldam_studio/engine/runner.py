"""Drives a session on a thread of its own, and is the only thing that touches its state there.

What is asked of a session is a command in one ordered queue. In every state (see
`engine.run_state`) but CLOSED commands are carried out and frames made, so that the window lives
while the sampler rests. Only two things are asked for outside the queue: frames, because they
change nothing, and `close`, which is done at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from ldam_studio.engine.advance import ChainsExploded, GivenUp, advance
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
from ldam_studio.engine.frame import Frame, FrameRequest
from ldam_studio.engine.mailbox import Mailbox
from ldam_studio.engine.reports import Reports
from ldam_studio.engine.run_state import RunState, Status
from ldam_studio.engine.speed import Speed
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.sampler.settings import SETTINGS, is_of_chains

T = TypeVar("T")


class Runner:
    """Runs a session until it is closed.

    Parameters
    ----------
    state
        The session; the runner's from now on.
    on_state, on_error
        Called on the runner's thread, rarely: with each new run state, and with one sentence when
        it paused or failed for a reason.
    """

    def __init__(
        self,
        state: SessionState,
        on_state: Callable[[RunState], None] | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        self.mailbox: Mailbox[Frame] = Mailbox()
        self._state = state
        self._queue = CommandQueue()
        self._wake = threading.Condition()
        self._closed = False
        self._request: FrameRequest | None = None
        self._run_state = RunState.IDLE
        self._on_state = on_state or (lambda _state: None)
        self._on_error = on_error or (lambda _message: None)
        self._single_steps = 0
        self._shows_first = False
        self._gave_up = False
        self.left: Future[SessionState] = Future()
        """The session, once it is closed."""
        self._reports = Reports()
        self._commands_seen = 0
        self._max_rate = 0
        self._due = 0.0
        self._speed = Speed()
        self._error = ""

    # From any thread. Commands are carried out in the order in which they were posted; posting
    # never blocks, and returns the command's number (see `Frame.commands_seen`).

    def post(self, name: str, value: Any = None, lane: int | None = None) -> int:
        """Ask for a change (see `engine.changes`), or for the rate: "max_rate".

        Raises
        ------
        StudioError
            If the rate is none.
        """
        if name == "max_rate":
            return self._post(MaxRate(SETTINGS["max_rate"].check(value)))
        return self._post(Change(name, value, lane))

    def play(self) -> int:
        """Run."""
        return self._post(Play())

    def pause(self) -> int:
        """Rest after the step under way."""
        return self._post(Pause())

    def step(self, count: int = 1) -> int:
        """Take `count` steps and rest."""
        return self._post(Steps(count))

    def ask(self, question: Callable[[SessionState], T]) -> Future[T]:
        """Have `question` answered on the runner's thread between two steps.

        The answer has the changes that were posted before, and none that are posted after. It may
        be cancelled while it waits.
        """
        future: Future[T] = Future()
        self._post(Question(question, future))
        if self._closed:
            self._cancel_questions()
        return future

    def return_to(self, moment: SessionState | Future[SessionState]) -> int:
        """Put the session back to a snapshot, or to one that was asked for before."""
        return self._post(ReturnTo(moment))

    def close(self) -> None:
        """End `run` after the step under way, at once: what still waits is not done any more.

        Questions among that are cancelled.
        """
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def request_frame(self, request: FrameRequest) -> None:
        """Ask for one frame; it will be in `mailbox`. A newer request replaces an older one."""
        with self._wake:
            self._request = request
            self._wake.notify_all()

    def _post(self, command: Command) -> int:
        number = self._queue.post(command)
        with self._wake:
            self._wake.notify_all()
        return number

    @property
    def status(self) -> Status:
        """How things stand."""
        return Status(self._run_state, self._state.step, self._speed.value, self._error)

    # On the runner's own thread

    def run(self) -> None:
        """Run until closed; returns then, whatever happened."""
        self._state.device.apply()
        try:
            while self._wait_for_work():
                self._obey()
                self._step()
                self._look_back()
                self._serve_frame()
        finally:
            self._closed = True
            self._enter(RunState.CLOSED)
            self._cancel_questions()
            self.left.set_result(self._state)

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; False once closed."""
        with self._wake:
            while not self._closed:
                stepping = self._may_step()
                if stepping and time.monotonic() >= self._due:
                    return True
                if self._request or (self._queue and not self._single_steps):
                    return True
                self._wake.wait(max(0.0, self._due - time.monotonic()) if stepping else None)
            return False

    def _may_step(self) -> bool:
        return self._run_state is RunState.RUNNING or self._single_steps > 0

    def _obey(self) -> None:
        """Carry out the commands that wait, up to single steps."""
        changed = False
        # What is posted meanwhile waits until after the next step, so that there is one.
        for _ in range(len(self._queue)):
            taken = None if self._closed or self._single_steps else self._queue.take()
            if taken is None:
                break
            self._commands_seen, command = taken
            changed = changed or (isinstance(command, Change) and not is_of_chains(command.name))
            self._carry_out(command)
        # Another neuron is shown before its first step, which may take long; but a stream of such
        # changes does not keep the chains from moving.
        self._shows_first = changed and not self._shows_first

    def _carry_out(self, command: Command) -> None:
        match command:
            case Change():
                self._advance([command], 0)
            case Question():
                self._answer(command)
            case ReturnTo():
                self._return_to(command.moment)
            case Steps():
                if self._run_state is RunState.RUNNING:
                    self._enter(RunState.PAUSED)
                self._single_steps = command.count
            case Play():
                self._error = ""
                self._enter(RunState.RUNNING)
            case Pause():
                self._error = ""
                self._enter(RunState.PAUSED)
            case MaxRate():
                self._max_rate = command.value

    def _answer(self, question: Question) -> None:
        if not question.answer.set_running_or_notify_cancel():
            return
        self._confirm()
        try:
            question.answer.set_result(question.ask(self._state))
        except Exception as error:
            question.answer.set_exception(error)

    def _return_to(self, moment: SessionState | Future[SessionState]) -> None:
        if isinstance(moment, Future):
            if not moment.done() or moment.cancelled() or moment.exception() is not None:
                return
            moment = moment.result()
        self._state = snapshot(moment)
        self._reports.forget_steps()

    def _step(self) -> None:
        """Take one step if it is time for one, and nothing is to be shown before it."""
        if self._closed or self._shows_first or not self._may_step():
            return
        now = time.monotonic()
        if now < self._due:
            return
        self._due = max(now, self._due) + 1 / self._max_rate if self._max_rate else 0.0
        before = self._state.step
        self._advance((), 1, self._state.device.lag)
        self._gave_up = self._state.step == before
        if self._state.step > before:
            self._single_steps = max(0, self._single_steps - 1)
            self._speed.count()

    def _look_back(self) -> None:
        """See how all steps went before a frame shows what came of them, and before resting."""
        if self._request or self._run_state is not RunState.RUNNING:
            self._confirm()

    def _confirm(self) -> None:
        if self._state.unconfirmed:
            self._advance((), 0)

    def _advance(self, changes: Sequence[Change], budget: int, lag: int = 0) -> None:
        try:
            self._state, info = advance(self._state, changes, budget, self._make_way, lag)
        except ChainsExploded as error:
            self._state = error.state
            self._reports.go_back_to(self._state.step)
            self._stop(RunState.PAUSED, str(error))
            return
        except StudioError as error:
            self._stop(RunState.FAILED, str(error))
            return
        except Exception as error:
            places = (f"{x.network.name} failed in {x.targets.layer}" for x in self._state.lanes)
            self._stop(
                RunState.FAILED,
                f"{' or '.join(places)} "
                f"({type(error).__name__}: {error}); choose another neuron or network, then play.",
            )
            return
        self._reports.go_back_to(self._state.step)
        self._reports.add(info)

    def _make_way(self) -> None:
        """Give a step up for another neuron or network: large networks take long over it.

        Never two in a row, so that no stream of changes keeps the chains from moving; and no single
        step, which was asked for before them.
        """
        if self._queue.is_urgent() and not self._gave_up and not self._single_steps:
            raise GivenUp

    def _stop(self, state: RunState, message: str) -> None:
        self._single_steps = 0
        self._error = message
        self._reports.say(message)
        self._enter(state)
        self._on_error(message)

    def _cancel_questions(self) -> None:
        while (taken := self._queue.take()) is not None:
            if isinstance(taken[1], Question):
                taken[1].answer.cancel()

    def _serve_frame(self) -> None:
        with self._wake:
            request, self._request = self._request, None
        if request is None:
            return
        self.mailbox.put(
            self._reports.frame(
                self._state,
                request,
                steps_per_second=self._speed.value if self._may_step() else 0.0,
                commands_seen=self._commands_seen,
            )
        )

    def _enter(self, state: RunState) -> None:
        if state is not self._run_state:
            self._run_state = state
            if state is RunState.RUNNING:
                self._speed = Speed()
            self._on_state(state)
