"""Drives a session on its own thread, which is the only one that touches the session's state.

Everything that is asked of a session comes through its inbox (`engine.inbox`). Commands are carried
out and frames are made in every state (see `engine.run_state`) except CLOSED, so that the window
stays responsive while the sampler is paused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ldam_studio.engine.advance import ChainsExploded, GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.commands import (
    Command,
    MaxRate,
    Pause,
    Play,
    Question,
    ReturnTo,
    Steps,
)
from ldam_studio.engine.frame import Frame
from ldam_studio.engine.inbox import Inbox
from ldam_studio.engine.mailbox import Mailbox
from ldam_studio.engine.melting import Melting
from ldam_studio.engine.plans.finder import PlanFinder
from ldam_studio.engine.preview import Previews
from ldam_studio.engine.reports import Reports
from ldam_studio.engine.run_state import RunState, Status
from ldam_studio.engine.speed import Speed
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.sampler.settings import is_of_chains


class Runner(Inbox):
    """Runs a session until it is closed.

    Parameters
    ----------
    state
        The session; from now on only the runner may use it.
    on_state, on_error
        Called on the runner's thread: `on_state` with each new run state, `on_error` with one
        sentence if an error has paused or stopped the session.
    """

    def __init__(
        self,
        state: SessionState,
        on_state: Callable[[RunState], None] | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.mailbox: Mailbox[Frame] = Mailbox()
        self._state = state
        self._run_state = RunState.IDLE
        self._on_state = on_state or (lambda _state: None)
        self._on_error = on_error or (lambda _message: None)
        self._single_steps = 0
        self._shows_first = False
        self._gave_up = False
        self.left: Future[SessionState] = Future()
        """The session's state, available once the runner is closed."""
        self._reports = Reports()
        self._commands_seen = 0
        self._max_rate = 0
        self._due = 0.0
        self._speed = Speed()
        self._plans = PlanFinder()
        self._melting = Melting()
        self._previews = Previews(self._queue.settings, self._takes_request, self.mailbox.put)
        self._error = ""

    @property
    def status(self) -> Status:
        """The present status."""
        return Status(self._run_state, self._state.step, self._speed.value, self._error)

    # The other methods run on the runner's own thread.

    def run(self) -> None:
        """Run until the runner is closed."""
        self._state.device.apply()
        try:
            while self._wait_for_work():
                if not self._may_step():
                    self._melting.rest()
                self._obey()
                self._melting.before_step(self._state)
                self._say(self._observers.welcome(self._state))
                stepped = self._step()
                if self._previews.made:
                    self._obey()  # so that no frame shows the settings before those of a preview
                self._look_back()
                self._serve_frame()
                self._measure()
                if stepped:
                    self._melt()
            self._obey_last()
        finally:
            self._closed = True
            self._previews.close()
            self._enter(RunState.CLOSED)
            self._cancel_questions()
            self.left.set_result(self._state)

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; return False once closed."""
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
        """Carry out the waiting commands, up to the first one that takes single steps."""
        changed = False
        # Commands posted during this loop wait until after the next step, so that steps go on.
        for _ in range(len(self._queue)):
            taken = None if self._closed or self._single_steps else self._queue.take()
            if taken is None:
                break
            self._commands_seen, command = taken
            changed = changed or (isinstance(command, Change) and not is_of_chains(command.name))
            self._carry_out(command)
        # After such a change a frame is made before the first step, which may take long. This is
        # never done twice in a row, so that a stream of changes cannot stop the chains.
        self._shows_first = changed and not self._shows_first

    def _obey_last(self) -> None:
        """Carry out what was posted before the end, so that the session is left as it was shown."""
        for _ in range(len(self._queue)):
            taken = self._queue.take()
            if taken is not None and isinstance(taken[1], Change | ReturnTo | Question):
                self._carry_out(taken[1])

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
        self._state.device.apply()
        self._plans.forget()
        self._reports.forget_steps()
        self._say(self._observers.tell(self._state, None))

    def _step(self) -> bool:
        """Take one step if one is due and no frame has to be made before it; return whether."""
        if self._closed or self._shows_first or not self._may_step():
            return False
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = max(now, self._due) + 1 / self._max_rate if self._max_rate else 0.0
        before = self._state.step
        with self._previews.within_step(self._state):
            self._advance((), 1, self._state.device.lag)
        stepped = self._state.step > before
        self._gave_up = self._state.step == before
        if stepped:
            self._single_steps = max(0, self._single_steps - 1)
            self._speed.count()
        return stepped

    def _measure(self) -> None:
        """Make one trial in the search for the fastest plan; change to the plan that it finds."""
        if self._closed or not self._may_step() or self._queue.is_urgent():
            return
        plan = self._plans.proceed(self._state)
        if plan is not None:
            self._advance([Change("plan", plan)], 0)

    def _melt(self) -> None:
        """Heat the chains further, or cool them, once they have dissolved."""
        changes = self._melting.after_step(self._state)
        if changes and not self._closed:
            self._advance(changes, 0)

    def _look_back(self) -> None:
        """Confirm all steps before a frame shows their result, and before pausing."""
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
        self._say(self._observers.tell(self._state, info))

    def _say(self, notices: Sequence[str]) -> None:
        for notice in notices:
            self._reports.say(notice)

    def _make_way(self) -> None:
        """Abandon the step in progress if a change to another neuron or network is waiting.

        On large networks a step takes long. Two steps in a row are never abandoned, so that a
        stream of changes cannot stop the chains. Single steps are never abandoned, since they were
        requested before the change.
        """
        if self._queue.is_urgent() and not self._gave_up and not self._single_steps:
            raise GivenUp

    def _stop(self, state: RunState, message: str) -> None:
        self._single_steps = 0
        self._error = message
        self._reports.say(message)
        self._enter(state)
        self._on_error(message)

    def _serve_frame(self) -> None:
        with self._wake:
            request, self._request = self._request, None
        if request is None:
            return
        frame = self._reports.frame(
            self._state,
            request,
            steps_per_second=self._speed.value if self._may_step() else 0.0,
            commands_seen=self._commands_seen,
        )
        self._previews.after(frame)
        self.mailbox.put(frame)

    def _takes_request(self, front: int) -> bool:
        """Return whether a frame of this chain is wanted, which counts as answered from now on."""
        with self._wake:
            wanted = self._request is not None and self._request.front == front
            if wanted:
                self._request = None
        return wanted

    def _enter(self, state: RunState) -> None:
        if state is not self._run_state:
            self._run_state = state
            if state is RunState.RUNNING:
                self._speed = Speed()
            self._on_state(state)
