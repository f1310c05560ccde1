"""Searching for a plan of execution whenever a session's chains look at something new."""

from __future__ import annotations

from collections.abc import Hashable

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.plans.search import Trials, search
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import FEW
from ldam_studio.networks.plan import Plan

AGAIN = 50
"""Steps after which a search is made again if no chain had a gradient."""


class PlanFinder:
    """Searches whenever a session's chains look at something for which no plan was searched."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Search again, for example after a return to an earlier moment."""
        self._subject: Hashable = None
        self._trials: Trials | None = None
        self._again = 0

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
        if subject != self._subject or 0 < self._again <= state.step:
            self._subject, self._again = subject, 0
            self._trials = search(device, state.lanes)
        if self._trials is None:
            return None
        try:
            next(self._trials)
        except StopIteration as ended:
            self._trials = None
            if ended.value is None:
                self._again = state.step + AGAIN
            elif ended.value != device.plan:
                found: Plan = ended.value
                return found
        return None


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
