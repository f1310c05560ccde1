"""Running chains for a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.state import SessionState
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

OnStep = Callable[[], None]
"""Called after each sampler step."""


def class_neurons(network: Network, chains_per_class: int) -> tuple[Neuron, ...]:
    """Return the last layer's neurons, each repeated for its chains, which are adjacent."""
    layer = network.class_layer
    return tuple(
        Neuron(layer.name, index) for index in range(layer.neurons) for _ in range(chains_per_class)
    )


def run_on(
    state: SessionState,
    steps: int,
    on_step: OnStep = lambda: None,
    changes: Sequence[Change] = (),
) -> SessionState:
    """Take ``steps`` steps of a session; ``changes`` take effect before the first."""
    for number in range(steps):
        state, _ = advance(state, changes if number == 0 else ())
        on_step()
    return state
