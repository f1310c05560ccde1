"""Checking receptive fields and crops on the running chains, on their own images.

Fields follow from the operations of a forward pass, and crops were compared with the whole image on
noise. Either may still be wrong for the images that chains reach, in code that nobody foresaw. So
now and then a chain is evaluated on its whole image: the first chain of each neuron in the first
steps, then one chain in the steps `EARLY` and every `EVERY` steps. If the field or the crop turns
out to be wrong, the whole image is evaluated from that step on.

The step and the chain depend on the lane's clock alone, so that a replay checks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine import burn_in_threshold
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.lane import reheat, with_trust
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.engine.trust import Trust
from ldam_studio.networks.anatomy.crops import Evidence, evidence

EVERY = 200
EARLY = (50, 100)
"""Further steps, in which chains move most."""


def check(state: SessionState) -> list[str]:
    """Check the fields of lanes whose turn it is, before a step; change these lanes in place.

    Returns the lines to write into the traces.
    """
    lanes, told = list(state.lanes), []
    for number, lane in enumerate(lanes):
        chain = _whose_turn(lane)
        if chain is None:
            continue
        trust = _after(lane, _evidence(lane, chain))
        if trust is lane.trust:
            continue
        lanes[number] = lane = with_trust(lane, trust)
        if trust in (Trust.FIELD, Trust.NOTHING):
            lanes[number] = _unsettled(state, lane)
            words = "the whole image from here on"
            told.append(f"{lane_name(number)}: {words}" if len(lanes) > 1 else words)
    state.lanes = tuple(lanes)
    return told


def is_due(steps: int) -> bool:
    """Return whether chains of a single neuron are checked after so many steps."""
    return steps in EARLY or steps % EVERY == 0


def _whose_turn(lane: Lane) -> int | None:
    """Return the number of the chain to check before the lane's next step, if any."""
    if lane.trust in (Trust.FORMER, Trust.NOTHING, Trust.ELSEWHERE):
        return None
    steps, neurons = lane.clock.steps, lane.neurons
    firsts = [neurons.index(neuron) for neuron in dict.fromkeys(neurons)]
    if steps < len(firsts):
        chain = firsts[steps]
    elif steps in EARLY:
        chain = EARLY.index(steps) % len(neurons)
    elif steps % EVERY == 0:
        chain = steps // EVERY % len(neurons)
    else:
        return None
    claims = lane.targets.crop is not None or lane.targets.fields[chain] is not None
    return chain if claims else None


def _evidence(lane: Lane, chain: int) -> Evidence:
    (neuron,) = lane.sized.seen_from(lane.network, lane.neurons[chain : chain + 1])
    crop = lane.targets.crop
    if lane.trust is Trust.WAITING:
        crop = lane.sized.crop(neuron.layer, neuron.place)
    field, value = lane.targets.fields[chain], lane.targets.units.class_value
    return evidence(lane.sized, neuron, field, crop, value, lane.chains.x[chain : chain + 1])


def _after(lane: Lane, found: Evidence) -> Trust:
    if found is Evidence.SEES_MORE:
        return Trust.NOTHING
    if lane.trust is Trust.FIELD:
        return lane.trust
    if found is Evidence.CROP_DIFFERS:
        return Trust.FIELD
    return Trust.WAITING if found is Evidence.NOTHING else Trust.CROP


def _unsettled(state: SessionState, lane: Lane) -> Lane:
    """Return a lane whose chains' distribution has changed with what is evaluated."""
    chains, device = len(lane.neurons), state.device
    thresholds = burn_in_threshold.begin_again(lane.settings, chains, device.name)
    return replace(reheat(lane, device, state.heat), thresholds=thresholds)


def sentence(lane: Lane) -> str:
    """Return a sentence about fields or crops that were wrong; empty if there was none."""
    names = ", ".join(_few(list(dict.fromkeys(map(str, lane.neurons)))))
    if lane.trust is Trust.NOTHING:
        return (
            f"A chain of {names} had a gradient outside of its receptive field, so it counts as "
            "seeing the whole image."
        )
    if lane.trust is Trust.FIELD:
        return (
            f"What {names} gives depends on pixels outside of its receptive field, for example "
            "through a decision on a value, so the whole image is evaluated."
        )
    return ""


def _few(names: Sequence[str]) -> list[str]:
    return [*names[:2], "..."] if len(names) > 3 else list(names)
