"""The window's end of a session: its thread, its frames, and what is posted to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.frame import Frame, FrameRequest
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.engine.unconfirmed import look_back
from ldam_studio.gui.session.learning import LearningNeeds
from ldam_studio.gui.session.model import Model, SessionView
from ldam_studio.gui.session.thread import SamplerThread
from ldam_studio.gui.stragglers import keep_to_its_end
from ldam_studio.memory import give_back
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening

RESTING_S = 0.25  # between two looks at a session that rests
LEFT_S = 60  # for the step under way in a session that was left
LEAVE_MS = 500  # with what saving may take, closing stays within a second


class SessionLink(QObject):
    """Owns the sampler's thread and the inbox's far end; keeps the model as the session is."""

    opening = pyqtSignal(object)  # Opening
    opened = pyqtSignal(object)  # Opening
    said = pyqtSignal(str, str)  # sentence, kind: info, warning, danger
    _read = pyqtSignal(int, int, object)  # number of session and of posts, SessionView

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.way_back: Opening | None = None  # to the session that was left for this one
        self._numbers = 0
        self._threads: list[SamplerThread] = []
        self._runner: Runner | None = None
        self._current: Opening | None = None
        self._asked_at = 0.0
        self._posts = 0
        self._read.connect(self._on_read)
        self._needs = LearningNeeds(self)
        self._needs.met.connect(self._on_needs_met)
        self._lessons: dict[str, int] = {}  # settings that wait for what learning needs
        self._held = False  # whether the neurons of a new number of chains are still to come

    # Sessions

    def open(self, opening: Opening) -> None:
        """Leave the session that runs, and open another on a thread of its own."""
        self.way_back = self._way_back()
        self._leave()
        self._numbers += 1
        self._current = opening
        thread = SamplerThread(self._numbers, opening.make)
        thread.opened.connect(self._on_opened)
        thread.state_changed.connect(self._on_state)
        thread.failed.connect(self._on_failed)
        thread.finished.connect(partial(self._on_finished, thread))
        self._threads.append(thread)
        self.opening.emit(opening)
        thread.start()

    def _way_back(self) -> Opening | None:
        """Return how to go on with the session that is about to be left."""
        runner, session, current = self._runner, self.model.session, self._current
        if runner is None or session is None or current is None:
            return None

        def make() -> SessionState:
            state = snapshot(runner.left.result(LEFT_S))
            look_back(state)
            return state

        return replace(
            current,
            title=self.model.title,
            make=make,
            display=self.model.display,
            rows=self.model.rows,
            front=self.model.front,
            note="",
            max_rate=session.max_rate,
            fallback=None,
            preset=None,
            published=(),
            second_title=self.model.second_title,
            remembered={},
        )

    @property
    def current(self) -> Opening | None:
        """How the session in front, or the one that is being opened, was asked for."""
        return self._current

    @property
    def runner(self) -> Runner | None:
        """The runner of the session in front; None while one opens."""
        return self._runner

    def ask(self, question: Callable[[SessionState], Any]) -> Future[Any] | None:
        """Have a question answered on the sampler's thread; None without a session."""
        return None if self._runner is None else self._runner.ask(question)

    def close(self) -> bool:
        """Stop every thread and wait for it; returns whether all have ended."""
        self._leave()
        self._needs.leave()
        late = [thread for thread in self._threads if not thread.wait(LEAVE_MS)]
        self._threads.clear()
        for thread in late:
            keep_to_its_end(thread)
        return not late

    def _leave(self) -> None:
        self._runner = None
        self._lessons.clear()
        for thread in self._threads:
            thread.leave()

    def _is_current(self, number: int) -> bool:
        return number == self._numbers and bool(self._threads)

    def _on_opened(self, number: int, runner: Runner, view: SessionView) -> None:
        if not self._is_current(number) or self._current is None:
            return
        opening = self._current
        self._runner = runner
        if opening.max_rate:
            view = replace(view, max_rate=opening.max_rate)
            runner.post("max_rate", opening.max_rate)
        if view.second is not None:
            view = replace(view, second=replace(view.second, title=opening.second_title))
        self.model.set_display(opening.display)
        self.model.adopt(view, opening.title, opening.rows, opening.front)
        self._prepare(opening)
        self.opened.emit(opening)
        self._request()
        runner.play()

    def _prepare(self, opening: Opening) -> None:
        """Do what an opening asks for before its session is shown; a hook for subclasses."""

    def _on_state(self, number: int, state: RunState) -> None:
        if self._is_current(number):
            self.model.set_run_state(state)

    def _on_failed(self, number: int, sentence: str) -> None:
        if not self._is_current(number):
            return
        current = self._current
        if self._runner is None and current is not None and current.fallback is not None:
            self.open(replace(current.fallback, preset=current.preset))
        self.said.emit(sentence, "danger")

    def _on_finished(self, thread: SamplerThread) -> None:
        if thread in self._threads:
            self._threads.remove(thread)
            thread.deleteLater()
            # What the session held is free by now. It may take tens of milliseconds to hand over.
            threading.Thread(target=give_back, name="give-back").start()

    # Frames

    def take_frame(self) -> Frame | None:
        """Return the latest frame of the front chain, if there is one, and ask for the next."""
        if self._runner is None:
            return None
        frame = self._runner.mailbox.take()
        running = self.model.run_state is RunState.RUNNING
        # A session that rests looks the same until something is changed, which asks by itself.
        if (frame is not None and running) or time.monotonic() - self._asked_at > RESTING_S:
            self._request()
        if frame is None:
            return None
        self._follow(frame)
        if frame.notices:
            self._read_back()
        # One that was asked for before another chain came to the front would flash by.
        return frame if frame.lanes[0].front == self.model.front else None

    def _request(self) -> None:
        if self._runner is not None:
            display = self.model.display
            self._asked_at = time.monotonic()
            self._runner.request_frame(FrameRequest(self.model.front, display.mode, display.scale))

    def _follow(self, frame: Frame) -> None:
        """Take over the neurons that the engine chose, as after a change of the chains' number."""
        session = self.model.session
        if session is not None and frame.lanes[0].neurons != session.neurons and self._held:
            self._held = False
            chains, second = len(frame.lanes[0].neurons), session.second
            if second is not None and len(frame.lanes) > 1:
                settings = second.settings.for_chains(chains)
                second = replace(second, neurons=frame.lanes[1].neurons, settings=settings)
            settings = session.settings.for_chains(chains)
            self.model.set_session(
                replace(session, neurons=frame.lanes[0].neurons, settings=settings, second=second),
                "chains",
            )

    def _read_back(self) -> None:
        """Ask how the session is set: a change may have been refused."""
        if self._runner is None:
            return
        number, posts = self._numbers, self._posts

        def tell(future: Future[SessionView]) -> None:
            if not future.cancelled() and future.exception() is None:
                self._read.emit(number, posts, future.result())

        self._runner.ask(SessionView.of).add_done_callback(tell)

    def _on_read(self, number: int, posts: int, view: SessionView) -> None:
        session = self.model.session
        if not self._is_current(number) or session is None:
            return
        if posts != self._posts:
            # Something was changed meanwhile, which this answer does not know of.
            self._read_back()
            return
        second = view.second
        if second is not None and session.second is not None:
            second = replace(second, title=session.second.title)
        lessons: dict[str, Any] = {**self._lessons}
        view = replace(view, max_rate=session.max_rate, second=second, **lessons)
        changed = [n for n in SETTINGS if view.value_of_each(n) != session.value_of_each(n)]
        self.model.set_session(view, *changed)

    # Changes

    def _on_needs_met(self) -> None:
        lessons, self._lessons = self._lessons, {}
        for name, value in lessons.items():
            self._post(name, value)

    def _post(self, name: str, value: Any = None, lane: int | None = None) -> None:
        if name in SETTINGS and SETTINGS[name].teaches:
            self._lessons.pop(name, None)
            if value and not self._needs.are_met:
                self._lessons[name] = value
                self._needs.ask()
                return
        if self._runner is not None:
            self._posts += 1
            self._runner.post(name, value, lane)
            self._request()
