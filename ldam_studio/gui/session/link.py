"""Connects the window to a session: runs its thread, fetches frames, posts changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.frame import Frame, FrameRequest
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.engine.unconfirmed import look_back
from ldam_studio.gui.session.learning import LearningNeeds
from ldam_studio.gui.session.model import MAX_RATE, Model
from ldam_studio.gui.session.thread import SamplerThread
from ldam_studio.gui.stragglers import keep_to_its_end
from ldam_studio.memory import give_back
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.changes.change import Change
    from ldam_studio.engine.outline import Outline
    from ldam_studio.engine.recording.observers import Observer
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.progress import Stage

RESTING_S = 0.25  # between two requests for a frame while the session is paused
LEFT_S = 60  # longest wait for the last step of the session before
LEAVE_MS = 500  # longest wait for a thread when the window closes


@dataclass(frozen=True)
class Moment:
    """A moment to return to: the session's state, once the sampler delivers it, and its outline.

    `front` is the chain that was in front then; `turns` says that it is brought to the front again
    even if another one is in front now.
    """

    state: Future[SessionState]
    outline: Outline
    front: int = 0
    turns: bool = False


class SessionLink(QObject):
    """Owns the sampler's thread, posts commands to it, and updates the model from its frames."""

    opening = pyqtSignal(object)  # Opening
    opened = pyqtSignal(object)  # Opening
    staged = pyqtSignal(object)  # Stage: what the opening of a session does
    said = pyqtSignal(str, str)  # sentence, kind: info, warning, danger

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.way_back: Opening | None = None  # reopens the session before this one
        self._numbers = 0
        self._threads: list[SamplerThread] = []
        self._runner: Runner | None = None
        self._current: Opening | None = None
        self._asked_at = 0.0
        self.scheduled: frozenset[str] = frozenset()
        """The settings that followed a schedule in the last frame."""
        self._strip_side: int | None = None
        self._on_wall: tuple[int, bool] | None = None
        self._observers: list[Observer] = []
        self._needs = LearningNeeds(self)
        self._needs.met.connect(self._on_needs_met)

    # Sessions

    def open(self, opening: Opening) -> None:
        """Stop the current session, and open another one on a thread of its own."""
        before = self._way_back() or self.way_back or self._resumed()
        self.way_back = None if opening is before else before
        self._leave()
        self._numbers += 1
        self._current = opening
        thread = SamplerThread(self._numbers, opening.make)
        thread.opened.connect(self._on_opened)
        thread.state_changed.connect(self._on_state)
        thread.failed.connect(self._on_failed)
        thread.staged.connect(self._on_staged)
        thread.finished.connect(partial(self._on_finished, thread))
        self._threads.append(thread)
        self.opening.emit(opening)
        thread.start()

    def give_up(self) -> None:
        """Stop opening a session, and go on with the one before it."""
        if self._runner is None and self.way_back is not None:
            self.open(self.way_back)

    def _way_back(self) -> Opening | None:
        """Return how to reopen the current session as it will be when it stops."""
        runner, current = self._runner, self._current
        if runner is None or current is None:
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
            max_rate=self.model.max_rate,
            fallback=None,
            preset=None,
            published=(),
            lane_titles=self.model.lane_titles(),
            remembered={},
            unpack=None,
            layout=None,
        )

    def _resumed(self) -> Opening | None:
        """Return the session that is being resumed, which another one replaces before it is open.

        It is on the shelf, as it was.
        """
        current = self._current if self._runner is None else None
        if current is None or current.kept is None:
            return None
        return replace(current, note="", offered=None)

    @property
    def current(self) -> Opening | None:
        """The opening of the current session, or of the one that is being opened."""
        return self._current

    @property
    def runner(self) -> Runner | None:
        """The runner of the current session; None while a session opens."""
        return self._runner

    def ask(self, question: Callable[[SessionState], Any]) -> Future[Any] | None:
        """Call `question` on the sampler's thread; return its future, None without a session."""
        return None if self._runner is None else self._runner.ask(question)

    def observe(self, observer: Observer) -> None:
        """Let `observer` look at each step of this session and all later ones, on its thread."""
        self._observers.append(observer)
        if self._runner is not None:
            self._runner.observe(observer)

    def close(self) -> bool:
        """Stop all threads and wait for them; return whether all have ended in time."""
        self._leave()
        self._needs.leave()
        late = [thread for thread in self._threads if not thread.wait(LEAVE_MS)]
        self._threads.clear()
        for thread in late:
            keep_to_its_end(thread)
        return not late

    def _leave(self) -> None:
        self._runner = None
        self.scheduled = frozenset()
        for thread in self._threads:
            thread.leave()

    def _is_current(self, number: int) -> bool:
        return number == self._numbers and bool(self._threads)

    def _on_opened(self, number: int, runner: Runner, outline: Outline) -> None:
        if not self._is_current(number) or self._current is None:
            return
        opening = self._current
        self._runner = runner
        for observer in self._observers:
            runner.observe(observer)
        if opening.max_rate:
            runner.post(MAX_RATE, opening.max_rate)
        self.model.set_display(opening.display)
        self.model.adopt(
            outline,
            opening.title,
            rows=opening.rows,
            front=opening.front,
            max_rate=opening.max_rate,
            lane_titles=opening.lane_titles,
        )
        self._prepare(opening)
        self.opened.emit(opening)
        self._request()
        runner.play()

    def _prepare(self, opening: Opening) -> None:
        """Apply an opening's preset and comparison before it is shown; a hook for subclasses."""

    def _on_staged(self, number: int, stage: Stage) -> None:
        if self._is_current(number) and self._runner is None:
            self.staged.emit(stage)

    def _on_state(self, number: int, state: RunState) -> None:
        if self._is_current(number):
            self.model.set_run_state(state)

    def _on_failed(self, number: int, sentence: str) -> None:
        if not self._is_current(number):
            return
        current = self._current
        if self._runner is None and current is not None:
            self._current = None  # there is no way back to what cannot be opened
            if current.fallback is not None:
                self.open(replace(current.fallback, preset=current.preset))
            elif (back := self.way_back) is not None:
                # The session before goes on, since what should replace it cannot be opened.
                self.way_back = None
                self.open(back)
        self.said.emit(sentence, "danger")

    def _on_finished(self, thread: SamplerThread) -> None:
        if thread in self._threads:
            self._threads.remove(thread)
            thread.deleteLater()
            # The session's memory is free now, but returning it to the system takes a while.
            threading.Thread(target=give_back, name="give-back").start()

    # Frames

    def take_frame(self) -> Frame | None:
        """Return the newest frame of the front chain, None if there is none; request the next."""
        if self._runner is None:
            return None
        frame = self._runner.mailbox.take()
        running = self.model.run_state is RunState.RUNNING
        # A paused session looks the same until a change, which requests a frame by itself.
        if (frame is not None and running) or time.monotonic() - self._asked_at > RESTING_S:
            self._request()
        if frame is None:
            return None
        self.model.tell(frame.outline, frame.commands_seen)
        self.scheduled = frozenset(name for lane in frame.lanes for name in lane.now)
        for sentence in frame.notices:
            self.said.emit(sentence, "warning")
        # A frame of the chain that was in front before would be visible for a moment.
        return frame if frame.lanes[0].front == self.model.front else None

    def _request(self) -> None:
        if self._runner is not None:
            display, front = self.model.display, self.model.front
            side, averages = self._on_wall or (self._strip_side, False)
            self._asked_at = time.monotonic()
            self._runner.request_frame(
                FrameRequest(
                    front, display.mode, display.scale, averages, side, settled=display.settled
                )
            )

    def show_in_strip(self, side: int) -> None:
        """Show the strip's thumbnails at this length of their longer side, in device pixels."""
        if side != self._strip_side:
            self._strip_side = side
            self._request()

    def show_on_wall(self, thumbnails: tuple[int, bool] | None) -> None:
        """Show all chains instead of the strip: the length of thumbnails, and whether averages.

        None shows the strip again.
        """
        if thumbnails != self._on_wall:
            self._on_wall = thumbnails
            self._request()

    # Changes

    def _post(self, *changes: Change) -> None:
        """Post changes in order; the model shows their effect at once.

        Raises
        ------
        StudioError
            If one of them cannot be made; none is posted then.
        """
        runner = self._runner
        if runner is None:
            return
        outline = self.model.outline
        for change in changes:
            outline = outline.after(change)
        posted: list[tuple[int, Change]] = []
        for change in changes:
            if self._waits_for_needs(change):
                self.model.pending.hold(change)
            else:
                posted.append((runner.post(change.name, change.value, change.lane), change))
        self.model.expect(*posted)
        self._request()

    def _return_to(self, moment: Moment) -> None:
        """Return the session to an earlier moment, after all commands posted before."""
        if self._runner is not None:
            number = self._runner.return_to(moment.state)
            self.model.expect((number, moment.outline))
            self._request()

    def _waits_for_needs(self, change: Change) -> bool:
        """Return whether a change starts learning before its import is done; start that import."""
        if change.name not in SETTINGS or not SETTINGS[change.name].teaches:
            return False
        self.model.pending.release(change.name)
        waits = bool(change.value) and not self._needs.are_met
        if waits:
            self._needs.ask()
        return waits

    def _on_needs_met(self) -> None:
        if self._runner is not None:
            self._post(*self.model.pending.release_all())
