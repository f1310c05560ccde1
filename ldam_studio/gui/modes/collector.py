"""Watches the chains for the gallery: looks at them now and then, and groups what was seen."""

from __future__ import annotations

import sys
import time
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ldam_studio.engine.kept_modes import modes_of
from ldam_studio.errors import StudioError
from ldam_studio.explore.modes.gallery import Gallery
from ldam_studio.explore.modes.look import Look, Wanted, look_at
from ldam_studio.explore.modes.regrouping import Grouped, grouped
from ldam_studio.explore.modes.regrouping import Task as Grouping
from ldam_studio.gui.modes import words
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.explore.modes.features import Kind
    from ldam_studio.explore.modes.observations import Mode
    from ldam_studio.gui.studio import Studio

EVERY_MS = 700
LEISURE = 20
"""How many times as long the chains go on undisturbed as a look at them takes."""
FEW = 64
"""Averages that are grouped at once, in less than a millisecond."""


class Collector(QObject):
    """Keeps the gallery of the current session up to date, while it is watched.

    A look is a question to the session, answered between two steps: it reduces averages to small
    vectors, and copies two pictures at most. Looks are so rare that they take less than a twentieth
    of the session's time. Many averages are grouped on a thread of their own.
    """

    changed = pyqtSignal()  # the modes may be others
    _answered = pyqtSignal(object)  # Future

    def __init__(self, studio: Studio, parent: QObject) -> None:
        super().__init__(parent)
        self.gallery = Gallery()
        self._studio = studio
        self._kind: Kind = "pixels"
        self._watching = False
        self._question: Future[tuple[Look, float]] | None = None
        self._task: Task | None = None
        self._seen = (-1, -1)  # step and number of the last frame that was looked at
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        self._answered.connect(self._take)
        studio.controller.opening.connect(self._forget)

    # What is shown

    @property
    def neuron(self) -> str:
        """The address of the front chain's neuron, in the lane that is acted on."""
        model = self._studio.model
        return str(model.acted.neurons[model.front]) if model.is_open else ""

    def modes(self) -> tuple[Mode, ...]:
        """Return the modes of the front chain's neuron, as many as have pictures."""
        return self.gallery.shown(self.neuron, self._kind)

    def counts(self) -> tuple[int, int]:
        """Return how many modes there are, and how many averages they have."""
        every = self.gallery.modes(self.neuron, self._kind)
        return len(every), sum(mode.count for mode in every)

    def forget(self, number: int) -> None:
        """Leave a mode of the front chain's neuron out."""
        self.gallery.forget(self.neuron, self._kind, number)
        self.changed.emit()

    # When it looks

    def watch(self, on: bool) -> None:
        """Begin to look at the chains, or stop."""
        self._watching = on
        if on:
            self.hurry()
        else:
            self._timer.stop()

    def compare_by(self, kind: Kind) -> None:
        """Group averages by something else."""
        self._kind = kind
        self._regroup()
        self.hurry()

    def hurry(self) -> None:
        """Look at the chains soon, because something has changed."""
        self._seen = (-1, -1)
        if self._watching and self._question is None:
            self._timer.start(0)

    def leave(self) -> None:
        """Stop for good; returns at once."""
        self.watch(False)
        self._cancel()

    def _cancel(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            question.cancel()
        task, self._task = self._task, None
        if task is not None:
            task.leave()

    def _forget(self) -> None:
        """Forget the session that is left."""
        self._cancel()
        self.gallery.clear()
        self.changed.emit()
        self.hurry()

    def _look(self) -> None:
        frame, model = self._studio.frames.last, self._studio.model
        if not self._watching or self._question is not None:
            return
        rests = frame is not None and (frame.step, frame.commands_seen) == self._seen
        if frame is None or not model.is_open or rests:
            self._timer.start(EVERY_MS)
            return
        self._seen = (frame.step, frame.commands_seen)
        wanted = self.gallery.wanted(self.neuron, self._kind, model.acting or 0)
        wanted = replace(wanted, kept=self._unknown())
        question = self._studio.controller.ask(partial(_timed, wanted=wanted))
        if question is None:
            self._timer.start(EVERY_MS)
            return
        self._question = question
        question.add_done_callback(self._answered.emit)

    def _unknown(self) -> dict[int, int]:
        """Return the kept modes that the gallery does not know, with their pictures' numbers."""
        model, neuron, kind = self._studio.model, self.neuron, self._kind
        pictures = model.outline.pictures
        numbers = modes_of(pictures, model.acted.neurons[model.front])
        named = {words.number_in(pictures[n].title, neuron, kind): n for n in numbers}
        return {
            mode: number
            for mode, number in named.items()
            if mode is not None and not self.gallery.knows(neuron, kind, mode)
        }

    def _take(self, question: Future[tuple[Look, float]]) -> None:
        if question is not self._question:
            return
        self._question = None
        try:
            look, seconds = question.result(0)
        except CancelledError:
            return
        except StudioError as error:
            self._studio.notices.say(str(error), "warning", key="modes")
            return
        frame = self._studio.frames.last
        activation = None
        if frame is not None:
            found = self._studio.model.acted_frame(frame).activation
            if found is not None and len(found) == len(look.neurons):
                activation = [float(value) for value in found]
        self.gallery.add(look, activation)
        self._regroup()
        if self._watching:
            self._timer.start(max(EVERY_MS, round(1000 * LEISURE * seconds)))

    # Grouping

    def _regroup(self) -> None:
        if self._task is not None:
            return  # what has come meanwhile is grouped at the next look
        grouping = self.gallery.task(self.neuron, self._kind)
        if grouping is None:
            self.changed.emit()
        elif len(grouping.numbers) <= FEW and "scipy.cluster" in sys.modules:
            self._take_groups(grouped(grouping))
        else:
            self._task = Task(partial(_group, grouping=grouping))
            self._task.done.connect(self._take_groups)
            self._task.failed.connect(self._give_up)
            self._task.start()

    def _take_groups(self, found: Grouped) -> None:
        self._end_task()
        self.gallery.take(found)
        self.changed.emit()

    def _give_up(self, error: StudioError) -> None:
        self._end_task()
        self._studio.notices.say(str(error), "warning", key="modes")

    def _end_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.leave()


def _timed(state: SessionState, wanted: Wanted) -> tuple[Look, float]:
    """Return a look at the session, and the seconds that it took."""
    started = time.perf_counter()
    look = look_at(state, wanted)
    return look, time.perf_counter() - started


def _group(_task: Task, grouping: Grouping) -> Grouped:
    return grouped(grouping)
