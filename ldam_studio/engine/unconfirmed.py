"""Steps taken on trust: on an accelerator the host learns some steps later how each one went.

A step is taken as if the one before it had left all chains finite, and as if every neuron had
answered. Each step's verdict travels to the host on its own time, and where it breaks the trust
the session goes back to that step, so that what comes of a session does not depend on how many
steps were under way.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ldam_studio.engine import silent_neurons
from ldam_studio.engine.state import Moment, SessionState


def moment_of(state: SessionState) -> Moment:
    """Return what is needed to come back to here after steps without changes or lessons."""
    chains = range(len(state.lane.neurons))
    names = [f"{source}/{i}" for source in sources_of(state) for i in chains]
    if any(lane.settings.jitter for lane in state.lanes):
        names.append("jitter")
    sources = {name: state.generators[name].get_state() for name in names}
    return Moment(state.step, state.lanes, state.melting, sources)


def sources_of(state: SessionState) -> list[str]:
    """Return the random sources from which the kernels of the next step draw, each once."""
    return list(dict.fromkeys(s for lane in state.lanes for s in lane.kernel.draws(lane.chains)))


def go_back(state: SessionState, moment: Moment) -> None:
    """Leave no trace of the steps since `moment`: the next one draws what the first one drew."""
    state.step, state.lanes, state.melting = moment.step, moment.lanes, moment.melting
    for name, before in moment.sources.items():
        state.generators[name].set_state(before)


def look_back(state: SessionState, lag: int = 0) -> bool:
    """See how all steps but the last `lag` went; False if a chain left the finite numbers.

    The session is then as it was before that step. Where a chain fell silent, or answered again,
    it is as it was after that step, and that much is noted.
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
