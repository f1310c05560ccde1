"""Undoing steps: on an accelerator the host learns only some steps later how a step went.

Each step is taken on the assumption that the step before it left all chains finite and that every
neuron responded. The verdict on each step arrives on the host later. If the assumption was wrong,
the session returns to that step, so that the result does not depend on the number of steps in
progress.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ldam_studio.engine import silent_neurons
from ldam_studio.engine.noise import sources_of, sources_of_lanes
from ldam_studio.engine.prior import sources_of_priors
from ldam_studio.engine.state import Moment, SessionState


def moment_of(state: SessionState) -> Moment:
    """Return what is needed to return to this state after steps without changes or lessons."""
    chains = range(len(state.lane.neurons))
    names = [f"{source}/{i}" for source in sources_of(state) for i in chains]
    names += sources_of_lanes(state.lanes) + sources_of_priors(state.lanes, state.step)
    sources = {name: state.generators[name].get_state() for name in names}
    return Moment(state.step, state.lanes, state.melting, sources)


def go_back(state: SessionState, moment: Moment) -> None:
    """Undo the steps since `moment`: the next step draws the same random numbers as the first."""
    state.step, state.lanes, state.melting = moment.step, moment.lanes, moment.melting
    for name, before in moment.sources.items():
        state.generators[name].set_state(before)


def look_back(state: SessionState, lag: int = 0) -> bool:
    """Check all steps but the last `lag`; return False if a chain became infinite or NaN.

    In that case the session is as it was before that step. If a chain fell silent or responded
    again, the session is as it was after that step, and `Lane.waking` is updated.
    """
    while len(state.unconfirmed) > lag:
        oldest = state.unconfirmed.pop(0)
        verdicts = oldest.verdicts.read()
        if not all(math.isfinite(total) for total, _ in verdicts):
            state.unconfirmed.clear()
            go_back(state, oldest.before)
            return False
        answers = [least > 0 for _, least in verdicts]
        after = state.unconfirmed[0].before.lanes if state.unconfirmed else state.lanes
        if all(lane.waking.calm and yes for lane, yes in zip(after, answers, strict=True)):
            continue
        if state.unconfirmed:
            go_back(state, state.unconfirmed[0].before)
            state.unconfirmed.clear()
        state.lanes = tuple(
            replace(lane, waking=silent_neurons.look(lane.waking, rms, all_answer=yes))
            for lane, rms, yes in zip(state.lanes, oldest.gradient_rms, answers, strict=True)
        )
    return True
