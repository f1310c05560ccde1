"""Putting other chains into a session, for drivers that keep more chains than they run at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from ldam_studio.engine.lane import begin, targets
from ldam_studio.engine.state import SessionState
from ldam_studio.networks.neurons import Neuron


def exchange_chains(
    state: SessionState,
    x: Tensor,
    neurons: Sequence[Neuron],
    values: Mapping[str, Sequence[float] | float],
) -> SessionState:
    """Return the session with its chains exchanged; nothing averaged, nothing burned in.

    It is not logged: what was placed comes from outside the session, and no replay could find it.

    Parameters
    ----------
    x
        ``(chains, C, H, W)``, where the chains go on from.
    neurons
        Of each chain, all of one layer.
    values
        Settings by name: one value for each chain, or one for all.
    """
    settings = state.lane.settings
    for name, value in values.items():
        settings = settings.change(name, value if isinstance(value, int | float) else tuple(value))
    lane = replace(
        state.lane,
        neurons=tuple(neurons),
        settings=settings.for_chains(len(x)),
        targets=targets(state.lane.network, neurons),
    )
    state.lanes = (begin(lane, x, state.device, state.heat),)
    return state
