"""Putting other chains into a session, for drivers that keep more chains than they run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ldam_studio.engine.lanes import begin, targets
from ldam_studio.engine.state import SessionState
from ldam_studio.networks.network import Neuron


def place(
    state: SessionState, x: Tensor, neurons: Sequence[Neuron], weights: Sequence[float]
) -> SessionState:
    """Return the session with its chains exchanged; nothing averaged, nothing burned in.

    It is not logged: what was placed comes from outside the session, and no replay could find it.

    Parameters
    ----------
    x
        ``(chains, C, H, W)``, where the chains go on from.
    neurons, weights
        Of each chain: its neuron, all of one layer, and its discriminator weight.
    """
    settings = state.lane.settings.change("discriminator_weight", tuple(weights))
    lane = replace(
        state.lane,
        neurons=tuple(neurons),
        settings=settings.for_chains(len(x)),
        targets=targets(state.lane.network, neurons, settings, state.machine),
    )
    state.lanes = (begin(lane, x, state.machine, state.heat),)
    state.undrawn = {}
    return state
