"""Several sessions as one, whose steps share a forward pass, and each of them again.

The sessions have neurons of one layer, at one place, and are equal in everything else, their seed
included. On its own, each would draw the same random numbers in each step. So all of them get those
of the first, and what a chain does depends only on its own neuron. It is the same to the last bit
as in a session of its own wherever the processor rounds alike for few images and for many, which
has to be measured (`explore.sheets.together` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TypeVar

import torch
from torch import Tensor

from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.lane import begin, targets, with_clock
from ldam_studio.engine.serialise import tensors_of
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.engine.trust import Trust
from ldam_studio.sampler import kernels
from ldam_studio.sampler.average import Average
from ldam_studio.sampler.kernels import Parameters
from ldam_studio.sampler.random import Alike

T = TypeVar("T")


def can_be_joined(state: SessionState) -> bool:
    """Return whether a session, which has just begun, shares nothing among its chains.

    Ladders of temperatures do, and so do networks that mix images or draw random numbers.
    """
    lane = state.lane
    return (
        len(state.lanes) == 1
        and len(set(lane.neurons)) == 1
        and lane.network.behaviour.is_plain
        and lane.tempering is None
        and lane.trust is Trust.CROP
        and state.device.arithmetic > 1
        and state.device.name == "cpu"
        and not state.learn_every
        and not state.pictures
    )


def joined(states: Sequence[SessionState]) -> SessionState:
    """Return one session with the chains of several that have just begun.

    Receptive fields are not checked in it; see `engine.field_checks`.

    Raises
    ------
    StudioError
        If there is too little memory.
    """
    first = states[0]
    lane = first.lane
    each = len(lane.neurons)
    neurons = tuple(neuron for state in states for neuron in state.lane.neurons)
    settings = lane.settings.for_chains(len(neurons))
    plan = first.device.plan
    found = targets(lane.network, lane.sized, neurons, settings, plan, Trust.ELSEWHERE)
    together = replace(
        lane, neurons=neurons, settings=settings, targets=found, trust=Trust.ELSEWHERE
    )
    x = torch.cat([state.lane.chains.x for state in states])
    together = begin(together, x, first.device, first.heat)
    values = torch.cat([state.lane.thresholds.values for state in states])
    # Sessions that have just begun have evaluated no noise image.
    seen = None if lane.thresholds.seen is None else values.new_empty((0, len(values)))
    thresholds = Thresholds(values, seen)
    return replace(
        first,
        lanes=(replace(together, thresholds=thresholds),),
        generators=Alike.of(first.generators, each),
        origin={},
        log=[],
    )


def alone(joint: SessionState, number: int, begun: SessionState) -> SessionState:
    """Return one of the sessions that were joined, as it would be now on its own.

    Parameters
    ----------
    number
        Its place among the neurons in the session.
    begun
        The session as it had just begun.
    """
    each = len(begun.lane.neurons)
    chains = torch.arange(number * each, (number + 1) * each, device=joint.device.name)
    assert isinstance(joint.generators, Alike)
    return replace(
        begun,
        step=joint.step,
        lanes=(_with_chains(with_clock(begun.lane, joint.lane.clock), joint.lane, chains),),
        generators=joint.generators.alone(),
        log=list(joint.log),
        unconfirmed=[],
    )


def without(joint: SessionState, numbers: Sequence[int], begun: SessionState) -> SessionState:
    """Return the session without some of its neurons, by their places; others have to be left.

    Parameters
    ----------
    begun
        One of the sessions that were joined, as it had just begun.
    """
    lane, each = joint.lane, len(begun.lane.neurons)
    kept = [i for i in range(len(lane.neurons)) if i // each not in set(numbers)]
    neurons = tuple(lane.neurons[i] for i in kept)
    settings = lane.settings.of_chains(kept)
    plan = joint.device.plan
    found = targets(lane.network, lane.sized, neurons, settings, plan, lane.trust)
    fewer = replace(lane, neurons=neurons, settings=settings, targets=found)
    chains = torch.tensor(kept, device=joint.device.name)
    return replace(joint, lanes=(_with_chains(fewer, lane, chains),), unconfirmed=[])


def same(one: SessionState, other: SessionState) -> bool:
    """Return whether the chains of two sessions, and all that is known of them, are equal.

    Numbers are compared bit by bit.
    """
    (tensors, counts), (others, other_counts) = tensors_of(one.lane), tensors_of(other.lane)
    return (
        (one.step, counts) == (other.step, other_counts)
        and tensors.keys() == others.keys()
        and all(_equal(tensor, others[name]) for name, tensor in tensors.items())
    )


def _equal(one: Tensor, other: Tensor) -> bool:
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    bits, others = (each.contiguous().flatten().view(torch.uint8) for each in (one, other))
    return torch.equal(bits, others)


def _with_chains(lane: Lane, source: Lane, chains: Tensor) -> Lane:
    """Return a lane with some chains of another, (n,): all that a step changes, and its numbers."""
    parameters, waking = source.parameters, _of(source.waking, chains)
    # A session of its own is calm as soon as its own neuron is.
    calm = bool(waking.answered.all()) and not bool(waking.quiet.any())
    thresholds = source.thresholds
    if thresholds.seen is not None:
        thresholds = replace(thresholds, seen=thresholds.seen[:, chains])
    memory = {name: value[chains] for name, value in source.chains.memory.items()}
    average = source.average
    return replace(
        lane,
        clock=source.clock,
        parameters=_parameters(parameters, chains),
        chains=kernels.State(source.chains.x[chains], memory),
        average=Average(*(getattr(average, each.name)[chains] for each in fields(average))),
        progress=_of(source.progress, chains),
        thresholds=replace(thresholds, values=source.thresholds.values[chains]),
        waking=replace(waking, calm=calm),
        balance=_of(source.balance, chains),
    )


def _of(value: T, chains: Tensor) -> T:
    """Return a dataclass, whose tensors are all (chains,), for some chains."""
    own = {each.name: getattr(value, each.name) for each in fields(value)}  # type: ignore[arg-type]
    tensors = {name: each[chains] for name, each in own.items() if isinstance(each, Tensor)}
    return replace(value, **tensors)  # type: ignore[type-var]


def _parameters(parameters: Parameters, chains: Tensor) -> Parameters:
    return replace(
        parameters,
        columns={name: column[chains] for name, column in parameters.columns.items()},
        terms=tuple(
            replace(each, factor=each.factor[chains], rate=each.rate[chains])
            for each in parameters.terms
        ),
        noise=parameters.noise[chains],
    )
