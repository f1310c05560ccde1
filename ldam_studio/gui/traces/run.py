"""Keeps the values of all chains over a run, and marks of changes. No Qt in here."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldam_studio.gui.traces.history import Floats, Recent, Steps, View, Whole

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame, Trace

RECENT = 1000  # the latest steps, which are kept one by one
STRETCHES = 1024  # number of stretches for the whole run
MARKS = 500  # marks that are kept
SAME_DRAG = RECENT // 20  # steps; changes of a value closer than this belong to the same drag

ACTIVATION, PROBABILITY, CHANGE, ACCEPTANCE = range(4)
"""The quantities of a chain, in the order in which they are kept."""
QUANTITIES = 4
SMOOTHED = 50  # stretches over which acceptance is averaged; in one step it is 0 or 1


class Kept(NamedTuple):
    """Keeps rows twice: the most recent ones unchanged, and the whole run in stretches."""

    recent: Recent
    whole: Whole

    @classmethod
    def of(cls, *shape: int) -> Kept:
        """Return an empty history for rows of this shape."""
        return cls(Recent(shape, RECENT), Whole(shape, STRETCHES))

    def add(self, steps: Steps, rows: Floats) -> None:
        """Append rows (n, ...) seen at ``steps`` (n,)."""
        for history in self:
            history.add(steps, rows)

    def forget_from(self, step: int) -> None:
        """Forget this step and all later ones."""
        for history in self:
            history.forget_from(step)

    def view(self, whole: bool) -> View:
        """Return the whole run, or only its most recent steps."""
        return self.whole.view() if whole else self.recent.view()


class Run:
    """The values and marks of a run.

    Attributes
    ----------
    lanes
        For each lane, rows of shape (4, chains) with the four quantities.
    real
        The discriminator's mean probability for real images while it learns; rows of shape (1,).
    objectives
        What each lane's first quantity is, by its name in the setting *Objective*.
    last
        The latest step that is kept; -1 before the first.
    """

    def __init__(self) -> None:
        self.chains = 0
        self.objectives: tuple[str, ...] = ("activation",)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.lanes = [Kept.of(QUANTITIES, self.chains)]
        self.real = Kept.of(1)
        self._marks: deque[tuple[int, str]] = deque(maxlen=MARKS)
        self.last = -1

    def add(self, frame: Frame) -> None:
        """Add the steps since the last frame.

        If the number of chains changes, or the run restarts at step 1, everything is forgotten. If
        the run returns to an earlier step, all later steps are forgotten.
        """
        steps = np.asarray(frame.lanes[0].trace.steps, np.int64)
        chains = len(frame.lanes[0].neurons)
        goes_back = len(steps) > 0 and steps[0] <= self.last
        if chains != self.chains or (goes_back and steps[0] <= 1):
            self.chains = chains
            self.reset()
        elif goes_back:
            self._go_back(int(steps[0]))
        for mark in frame.marks:
            self._mark(*mark)
        self.objectives = tuple(lane.objective for lane in frame.lanes)
        traces = [lane.trace for lane in frame.lanes]
        del self.lanes[len(traces) :]
        self.lanes += [Kept.of(QUANTITIES, chains) for _ in traces[len(self.lanes) :]]
        for lane, trace in zip(self.lanes, traces, strict=True):
            if len(trace.steps):
                lane.add(np.asarray(trace.steps, np.int64), _rows(trace))
        if len(steps):
            self.last = int(steps[-1])
            real = np.nan if frame.lesson is None else frame.lesson.real_probability
            self.real.add(steps[-1:], np.array([[real]], np.float32))

    def views(self, whole: bool) -> list[View]:
        """Return the values of each lane, with acceptance averaged over `SMOOTHED` stretches."""
        return [kept.view(whole).smoothed(ACCEPTANCE, SMOOTHED) for kept in self.lanes]

    def marks(self) -> tuple[tuple[int, str], ...]:
        """Return the marks as pairs of step and text; a drag of a slider has only one mark."""
        return tuple(self._marks)

    def _go_back(self, step: int) -> None:
        for kept in (*self.lanes, self.real):
            kept.forget_from(step)
        self._marks = deque((mark for mark in self._marks if mark[0] < step), maxlen=MARKS)

    def _mark(self, step: int, text: str) -> None:
        # A dragged slider changes at every step; only its last value is marked.
        if self._marks:
            before, said = self._marks[-1]
            same = said.rpartition(" ")[0] == text.rpartition(" ")[0] != ""
            if same and step - before <= SAME_DRAG:
                self._marks.pop()
        self._marks.append((step, text))


def _rows(trace: Trace) -> Floats:
    """Return a trace's quantities as rows (steps, 4, chains)."""
    quantities = (trace.activation, trace.real_probability, trace.change, trace.acceptance)
    return np.stack(quantities, axis=1)
