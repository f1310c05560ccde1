"""Drawing several neurons of a layer together, whose chains share the steps' forward passes.

Each comes out as if it were drawn alone (`drawing.draw`), to the last bit. That is not taken for
granted, because processors may round otherwise for more images: now and then steps of single
neurons are taken alone, too, and compared. How many neurons are drawn together is measured as well.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ldam_studio.engine import field_checks
from ldam_studio.engine.advance import advance
from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.memory_needed import step_bytes
from ldam_studio.engine.joined import alone, can_be_joined, joined, same, without
from ldam_studio.engine.session import open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.trust import Trust
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import UNFINISHED, Drawn, half_of, sheet_row
from ldam_studio.explore.sheets.settling import EVERY, Settling
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.memory import free_bytes
from ldam_studio.networks.neurons import Neuron

SIZES = (2, 4, 8, 16, 32)
"""Numbers of neurons that are tried together."""
WORTH = 0.95
"""More neurons are drawn together only if a step of one takes less than this share of the time."""
PATIENCE = 2
"""Numbers of neurons that are tried in vain."""
TRIAL = 8
"""Steps of a trial. The last one is compared, which tells of all; the first one is not timed."""
ROOM = 2
"""Times as much memory as `step_bytes` estimates."""
FIRST = 6
"""Steps in which three of each number of neurons are compared; few values may round otherwise in
one."""
OFTEN = 47
"""Steps after which a step of some neuron is compared again. A prime, so that what happens in every
n-th step is compared, too."""
SMALLER = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Numbers of neurons at which those that have finished leave. Few, as each has to be compared."""


@dataclass
class Measured:
    """What is known of drawing neurons of one layer together.

    Attributes
    ----------
    most
        How many at most, as far as is known.
    share
        The processor's time for a step of one of them, as a share of that of one alone.
    settled
        Whether no further numbers are to be tried.
    steps
        By number of neurons, how many steps were taken; the first ones are compared.
    """

    most: int = 1
    share: float = 1.0
    settled: bool = False
    steps: Counter[int] = field(default_factory=Counter)


def measure(spec: SheetSpec, neurons: Sequence[Neuron], known: Measured) -> None:
    """Find out how many neurons of a layer are best drawn together, of so many that are there.

    More are taken as long as they come out the same, fit into the memory that there is for each
    core, and take less time for each. What is found is added to what is `known`.

    Raises
    ------
    StudioError
        If a session cannot be opened.
    """
    if known.settled or len(neurons) <= known.most:
        return
    begun = [open_session(spec.session(neurons[0]))]
    known.settled = not can_be_joined(begun[0])
    fruitless = 0
    for size in (size for size in SIZES if size > known.most and not known.settled):
        if size > len(neurons):
            return
        begun += [open_session(spec.session(each)) for each in neurons[len(begun) : size]]
        share = _tried(begun)
        if share is not None and share <= WORTH * known.share:
            known.most, known.share, fruitless = size, share, 0
        else:
            fruitless += 1
        known.settled = share is None or fruitless == PATIENCE
    known.settled = True


def _tried(begun: Sequence[SessionState]) -> float | None:
    """Return what a step of one session takes if they are joined, as a share of one alone.

    None if they do not fit into memory, or a session does not come out as it does alone.
    """
    size = len(begun)
    if not _fits(begun[0], size):
        return None
    begun = [_for_trial(state) for state in begun]
    try:
        joint, seconds = _timed(joined(begun))
        # Timed right after it, since how fast the processor is changes with what else it does.
        apart = {i: _timed(begun[i]) for i in {0, size // 2, size - 1}}
        if all(same(alone(joint, i, begun[i]), state) for i, (state, _) in apart.items()):
            return seconds / size / min(seconds for _, seconds in apart.values())
    except StudioError:
        pass  # too little memory, or a chain explodes
    return None


def draw_together(
    spec: SheetSpec, neurons: Sequence[Neuron], known: Measured
) -> dict[Neuron, Drawn]:
    """Draw neurons of one layer, at one place, together.

    Parameters
    ----------
    known
        What is known of the layer, to which is added what is learned.

    Returns
    -------
    The neurons that are as if each had been drawn alone. Others have to be drawn alone: all if a
    comparison failed or a chain exploded, and those whose receptive field is not as it seemed. None
    is returned if there is only one, or if it is not known that drawing them together is worth it.
    """
    if not 1 < len(neurons) <= known.most:
        return {}
    try:
        return _Group(spec, neurons, known).drawn()
    except _Differs as differs:
        known.most, known.settled = max(1, differs.size // 2), True
    except StudioError:
        pass  # drawing alone says what is wrong with which neuron
    return {}


class _Differs(Exception):
    def __init__(self, size: int) -> None:
        self.size = size


class _Group:
    def __init__(self, spec: SheetSpec, neurons: Sequence[Neuron], known: Measured) -> None:
        self._spec, self._known = spec, known
        self._begun = {neuron: open_session(spec.session(neuron)) for neuron in neurons}
        self._settlings = {neuron: Settling() for neuron in neurons}
        self._there = list(neurons)
        """The neurons in the session; those that are not `_running` have finished."""
        self._running = set(neurons)
        self._joint = joined(list(self._begun.values()))
        self._drawn: dict[Neuron, Drawn] = {}

    def drawn(self) -> dict[Neuron, Drawn]:
        half = half_of(self._spec)
        while self._running:
            self._check_fields()
            self._step([Change(*UNFINISHED)] if self._joint.step == half else [])
            self._look()
            self._let_leave()
        return self._drawn

    def _alone(self, neuron: Neuron) -> SessionState:
        return alone(self._joint, self._there.index(neuron), self._begun[neuron])

    def _check_fields(self) -> None:
        if not field_checks.is_due(self._joint.lane.clock.steps):
            return
        for neuron in list(self._running):
            own = self._alone(neuron)
            field_checks.check(own)
            if own.lane.trust is not self._begun[neuron].lane.trust:
                self._running.discard(neuron)

    def _step(self, changes: Sequence[Change]) -> None:
        compared = {neuron: self._alone(neuron) for neuron in self._to_compare()}
        size = len(self._there)
        self._joint, info = advance(self._joint, changes)
        if info.refused:
            raise StudioError(info.refused[0])
        for neuron, own in compared.items():
            if not same(advance(own, changes)[0], self._alone(neuron)):
                raise _Differs(size)
        self._known.steps[size] += 1

    def _to_compare(self) -> list[Neuron]:
        """Return the neurons to compare in this step.

        In the first steps of a number of neurons these are one each from the front, the middle and
        the end, others in each step; later it is now and then another one. Those that have finished
        and not left are none of them.
        """
        running = [neuron for neuron in self._there if neuron in self._running]
        size, step = len(running), self._joint.step
        count = self._known.steps[len(self._there)]
        if running and count < FIRST:
            places = {place % size for place in (count, size // 2 + count, size - 1 - count)}
            return [running[place] for place in places]
        if running and step % OFTEN == 1:
            return [running[step // OFTEN % size]]
        return []

    def _look(self) -> None:
        step = self._joint.step
        last = step == self._spec.steps
        if not last and step % EVERY:
            return
        for neuron in list(self._running):
            own = self._alone(neuron)
            converged = step % EVERY == 0 and self._settlings[neuron].look(own)
            if converged or last:
                self._drawn[neuron] = Drawn(own, sheet_row(own, neuron, converged=converged))
                self._running.discard(neuron)

    def _let_leave(self) -> None:
        size = next((size for size in SMALLER if size >= len(self._running)), len(self._there))
        if not self._running or size >= len(self._there):
            return
        finished = [i for i, neuron in enumerate(self._there) if neuron not in self._running]
        gone = finished[: len(self._there) - size]
        begun = self._begun[self._there[0]]
        self._joint = without(self._joint, gone, begun)
        self._there = [neuron for i, neuron in enumerate(self._there) if i not in gone]


def _for_trial(state: SessionState) -> SessionState:
    """Return a session without what takes up time at the beginning.

    That is the burn-in threshold, and checking the receptive field.
    """
    lane = state.lane
    thresholds = Thresholds(lane.thresholds.values)
    return replace(state, lanes=(replace(lane, thresholds=thresholds, trust=Trust.ELSEWHERE),))


def _timed(state: SessionState) -> tuple[SessionState, float]:
    """Take the steps of a trial; return the session, and the processor's time for a step."""
    state = replace(state, generators=state.generators.clone(), log=[], unconfirmed=[])
    times = []
    for _ in range(TRIAL):
        began = time.process_time()
        state, _info = advance(state)
        times.append(time.process_time() - began)
    return state, min(times[1:])


def _fits(state: SessionState, size: int) -> bool:
    lane = state.lane
    chains = size * len(lane.neurons)
    needed = step_bytes(lane.sized, lane.targets.layer, lane.targets.crop, chains)
    return ROOM * needed <= free_bytes() / (os.cpu_count() or 1)
