"""Drives a session on a thread of its own, and is the only thing that touches its state there.

::

            play                    pause
    IDLE ---------> RUNNING <---------------> PAUSED
                      |  ^        play          ^
      advance raised  |  | play                 | a chain exploded: stands on the last good state
                      v  |                      |
                     FAILED          RUNNING ---+

    every state -- close --> CLOSED

In every state but CLOSED changes are applied, frames made and questions answered, so that the
window lives while the sampler rests. `step` takes single steps where it is not RUNNING.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from ldam_studio.engine.advance import ChainsExploded, GivenUp, Info, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.inbox import Inbox
from ldam_studio.engine.frame import Frame, FrameRequest, make_frame
from ldam_studio.engine.mailbox import Mailbox
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.sampler.settings import SETTINGS, is_of_chains

T = TypeVar("T")

TRACE_STEPS = 4096  # kept for the next frame; a hidden window asks for none, and must not pile up
MEASURE_S = 0.5


class RunState(Enum):
    """Where a runner is; see the diagram above."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Status:
    """A snapshot of the runner: its state, the session's step, speed, and why it failed."""

    state: RunState
    step: int
    steps_per_second: float
    error: str = ""


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
        self._inbox = Inbox()
        self._wake = threading.Condition()
        self._run_state = RunState.IDLE
        self._on_state = on_state or (lambda _state: None)
        self._on_error = on_error or (lambda _message: None)
        self._wanted = RunState.IDLE
        self._single_steps = 0
        self._shows_first = False
        self._gave_up = False
        self._request: FrameRequest | None = None
        self._earlier: SessionState | None = None
        self.left: Future[SessionState] = Future()
        """The session, once it is closed."""
        self._questions: deque[tuple[Callable[[SessionState], Any], Future[Any]]] = deque()
        self._infos: deque[Info] = deque(maxlen=TRACE_STEPS)
        self._notices: list[str] = []
        self._frames = 0
        self._max_rate = 0
        self._due = 0.0
        self._speed = _Speed()
        self._error = ""

    # From any thread

    def post(self, name: str, value: Any = None, lane: int | None = None) -> None:
        """Ask for a change (see `engine.changes`); never blocks. "max_rate" is the runner's own."""
        if name == "max_rate":
            self._max_rate = SETTINGS["max_rate"].check(value)
        else:
            self._inbox.post(Change(name, value, lane))
        self._notify()

    def play(self) -> None:
        """Run."""
        self._want(RunState.RUNNING)

    def pause(self) -> None:
        """Rest after the step under way."""
        self._want(RunState.PAUSED)

    def step(self, count: int = 1) -> None:
        """Take `count` steps and rest."""
        with self._wake:
            self._single_steps += count
            if self._wanted is RunState.RUNNING:
                self._wanted = RunState.PAUSED
            self._wake.notify_all()

    def close(self) -> None:
        """End `run` after the step under way. Questions that still wait are cancelled."""
        self._want(RunState.CLOSED)

    def request_frame(self, request: FrameRequest) -> None:
        """Ask for one frame; it will be in `mailbox`. A newer request replaces an older one."""
        with self._wake:
            self._request = request
            self._wake.notify_all()

    def ask(self, question: Callable[[SessionState], T]) -> Future[T]:
        """Have `question` answered on the runner's thread between two steps.

        It may read the state and copy from it (`snapshot`), but neither keep nor change it.
        """
        future: Future[T] = Future()
        with self._wake:
            if self._wanted is RunState.CLOSED:
                future.cancel()
            else:
                self._questions.append((question, future))
                self._wake.notify_all()
        return future

    def return_to(self, earlier: SessionState) -> None:
        """Go on from a snapshot that was taken before; what was posted since was never done."""
        self._inbox.drain()
        with self._wake:
            self._earlier = earlier
            self._wake.notify_all()

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
                self._follow_wishes()
                self._go_back()
                self._work()
                self._look_back()
                self._answer()
                self._serve_frame()
        finally:
            with self._wake:
                self._wanted = RunState.CLOSED
                questions, self._questions = list(self._questions), deque()
            for _, future in questions:
                future.cancel()
            self._enter(RunState.CLOSED)
            self.left.set_result(self._state)

    def _go_back(self) -> None:
        with self._wake:
            earlier, self._earlier = self._earlier, None
        if earlier is not None:
            self._state = snapshot(earlier)
            self._infos.clear()

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; False once closed."""
        with self._wake:
            while self._wanted is not RunState.CLOSED:
                stepping = self._may_step()
                if stepping and time.monotonic() >= self._due:
                    return True
                if self._inbox or self._request or self._questions or self._wish_unmet():
                    return True
                if self._earlier is not None:
                    return True
                self._wake.wait(max(0.0, self._due - time.monotonic()) if stepping else None)
            return False

    def _wish_unmet(self) -> bool:
        return self._wanted is not self._run_state and self._wanted is not RunState.IDLE

    def _may_step(self) -> bool:
        return self._run_state is RunState.RUNNING or self._single_steps > 0

    def _follow_wishes(self) -> None:
        if self._wish_unmet() and self._wanted is not RunState.CLOSED:
            self._error = ""
            self._enter(self._wanted)

    def _work(self) -> None:
        """Apply what was posted and take one step if it is time for one."""
        due = self._may_step() and time.monotonic() >= self._due
        changes = self._inbox.drain()
        if not due and not changes:
            return
        # Another neuron is shown before its first step, which may take long; but a stream of such
        # changes does not keep the chains from moving.
        self._shows_first = not self._shows_first and any(not is_of_chains(c.name) for c in changes)
        due = due and not self._shows_first
        if due and self._max_rate:
            self._due = max(time.monotonic(), self._due) + 1 / self._max_rate
        elif due:
            self._due = 0.0
        before = self._state.step
        self._advance(changes, int(due), self._state.device.lag)
        if due:
            self._gave_up = self._state.step == before
        if self._state.step > before:
            with self._wake:
                self._single_steps = max(0, self._single_steps - 1)
            self._speed.count()

    def _look_back(self) -> None:
        """See how all steps went before anybody is shown what came of them, or before resting."""
        shown = self._request or self._questions or self._run_state is not RunState.RUNNING
        if shown and self._state.unconfirmed:
            self._advance((), 0)

    def _advance(self, changes: Sequence[Change], budget: int, lag: int = 0) -> None:
        try:
            self._state, info = advance(self._state, changes, budget, self._make_way, lag)
        except ChainsExploded as error:
            self._state = error.state
            self._forget()
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
        self._forget()
        self._infos.append(info)
        self._notices.extend(info.refused)

    def _forget(self) -> None:
        """Forget steps that were taken back."""
        while self._infos and self._infos[-1].step > self._state.step:
            self._infos.pop()

    def _make_way(self) -> None:
        """Give a step up for another neuron or network: large networks take long over it.

        Never two in a row, so that no stream of changes keeps the chains from moving.
        """
        if self._inbox.urgent() and not self._gave_up:
            raise GivenUp

    def _stop(self, state: RunState, message: str) -> None:
        with self._wake:
            # A close that came in the meantime is not undone.
            if self._wanted is not RunState.CLOSED:
                self._wanted = state
            self._single_steps = 0
        self._error = message
        self._notices.append(message)
        self._enter(state)
        self._on_error(message)

    def _answer(self) -> None:
        # What was asked for before a question is part of its answer: first going back, and the next
        # step's changes.
        while self._questions and not self._inbox and self._earlier is None:
            question, future = self._questions.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(question(self._state))
            except Exception as error:
                future.set_exception(error)

    def _serve_frame(self) -> None:
        with self._wake:
            request, self._request = self._request, None
        if request is None:
            return
        self._frames += 1
        infos, notices = list(self._infos), list(self._notices)
        learner = self._state.learner
        self._infos.clear()
        self._notices.clear()
        self.mailbox.put(
            make_frame(
                self._state,
                request,
                number=self._frames,
                infos=infos,
                notices=notices,
                steps_per_second=self._speed.value if self._may_step() else 0.0,
                lesson=None if learner is None else learner.last_round,
            )
        )

    def _enter(self, state: RunState) -> None:
        if state is not self._run_state:
            self._run_state = state
            if state is RunState.RUNNING:
                self._speed = _Speed()
            self._on_state(state)

    def _want(self, state: RunState) -> None:
        with self._wake:
            if self._wanted is not RunState.CLOSED:
                self._wanted = state
            self._wake.notify_all()

    def _notify(self) -> None:
        with self._wake:
            self._wake.notify_all()


class _Speed:
    """Steps per second over the last half second or more."""

    def __init__(self) -> None:
        self.value = 0.0
        self._steps = 0
        self._since = time.monotonic()

    def count(self) -> None:
        self._steps += 1
        elapsed = time.monotonic() - self._since
        if elapsed >= MEASURE_S:
            self.value = self._steps / elapsed
            self._steps, self._since = 0, time.monotonic()
