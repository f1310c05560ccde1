"""Searching for a plan of execution whenever a session's chains look at something new."""

from __future__ import annotations

from collections.abc import Hashable

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.plans.search import Found, Trials, search
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import FEW
from ldam_studio.networks.plan import Plan

AGAIN = (20, 60, 200)
"""Steps after which a search is made again that was not final, each time counted anew."""


class PlanFinder:
    """Searches whenever a session's chains look at something for which no plan was searched."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Search again, for example after a return to an earlier moment."""
        self._subject: Hashable = None
        self._trials: Trials | None = None
        self._due, self._made = 0, 0

    @property
    def searches(self) -> bool:
        """Whether a search has begun and not ended."""
        return self._trials is not None

    def proceed(self, state: SessionState) -> Plan | None:
        """Make one trial if one is due; return the plan to change to, if a search found one."""
        device = state.device
        if not device.tried or device.name != "cpu":
            return None
        subject = _subject(state)
        if subject != self._subject:
            self._subject, self._made = subject, 0
            self._begin(state)
        elif 0 < self._due <= state.step:
            self._begin(state)
        if self._trials is None:
            return None
        try:
            next(self._trials)
        except StopIteration as ended:
            self._trials = None
            found: Found = ended.value
            if not found.final and self._made < len(AGAIN):
                self._due = state.step + AGAIN[self._made]
                self._made += 1
            if found.plan != device.plan:
                return found.plan
        return None

    def _begin(self, state: SessionState) -> None:
        self._due = 0
        self._trials = search(state.device, state.lanes)


def _subject(state: SessionState) -> Hashable:
    """Return what a plan depends on; weights are not part of it."""
    lanes = []
    for lane in state.lanes:
        crop = None if lane.targets.crop is None else lane.targets.crop.box
        lanes.append((lane.network.name, lane.sized.pixels.shape, lane.targets.layer, crop))
    return (*lanes, min(FEW, len(state.lane.neurons)))


def find_plan(state: SessionState) -> SessionState:
    """Search for the plan before the next step, for a session without a window.

    `state` is consumed, as by `advance`.
    """
    finder = PlanFinder()
    while True:
        plan = finder.proceed(state)
        if plan is not None:
            state, _ = advance(state, [Change("plan", plan)], 0)
        if not finder.searches:
            return state
