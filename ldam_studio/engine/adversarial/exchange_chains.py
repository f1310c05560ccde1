"""Replacing a session's chains, for training loops that keep more chains than they run at once."""

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
    """Return the session with other chains; averages and burn-in start again.

    The exchange is not logged: the new chains come from outside the session, so a replay could not
    reproduce them.

    Parameters
    ----------
    x
        Pixels of the new chains, ``(chains, C, H, W)``.
    neurons
        The neuron of each chain; all must be in one layer.
    values
        Settings by name: one value for each chain, or one for all.
    """
    settings = state.lane.settings
    for name, value in values.items():
        settings = settings.change(name, value if isinstance(value, int | float) else tuple(value))
    settings, lane = settings.for_chains(len(x)), state.lane
    lane = replace(
        lane,
        neurons=tuple(neurons),
        settings=settings,
        targets=targets(lane.network, lane.sized, neurons, settings),
    )
    state.lanes = (begin(lane, x, state.device, state.heat),)
    return state
