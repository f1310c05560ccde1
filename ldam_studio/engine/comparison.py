"""A second lane beside a session's first: another network, other weights, or other settings.

Both lanes have as many chains, are fed the same noise, and take the same steps. Neurons are matched
by address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ldam_studio.engine.lane import begin, open_lane
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings


@dataclass(frozen=True)
class Second:
    """What is put beside the first lane.

    Attributes
    ----------
    neurons
        One per chain, or one for all; None for those of the first lane, where the network has them
        all, else the first of its last layer.
    settings
        None for those of the first lane.
    restart
        Whether both lanes start anew from the session's seed. Otherwise the second goes on from
        where the first one's pixels are; both burn in and average anew, so that alike lanes
        average the same samples.
    """

    network: Network
    neurons: tuple[Neuron, ...] | None = None
    settings: Settings | None = None
    restart: bool = True

    def json(self) -> dict[str, Any]:
        """Return what a recipe writes down of it."""
        return {
            "network": self.network.reference,
            "neurons": None if self.neurons is None else [str(n) for n in self.neurons],
            "settings": None if self.settings is None else asdict(self.settings),
            "restart": self.restart,
        }


def describe_second(lane: Lane) -> dict[str, Any]:
    """Return what opens a second lane as it is set now, in JSON's types."""
    return Second(lane.network, lane.neurons, lane.settings).json()


def make_second(state: SessionState, second: Second) -> Lane:
    """Return a lane to stand beside the first one of `state`, which stays as it is.

    Its chains are at the session's start, or where the first lane's are; see `Second.restart`.

    Raises
    ------
    StudioError
        If its images are others than the first network's, or a neuron is not its network's.
    """
    first, network = state.lane, second.network
    check_alike(first.network, network)
    chains = len(first.neurons)
    neurons = second.neurons
    if neurons is None:
        neurons = matched(network, first.neurons) or network.default_neurons(chains)
    check_count(neurons, chains)
    if len(neurons) == 1:
        neurons *= chains
    network.to(state.device.name)
    settings = second.settings or first.settings
    # From sources of its own: the session's are as they would be without it.
    start = Generators(state.seed, state.device.name)
    lane = open_lane(network, neurons, settings, state.device, start)
    return lane if second.restart else begin(lane, first.chains.x, state.device, state.heat)


def check_alike(first: Network, second: Network) -> None:
    """See that two networks take the same images, or raise `StudioError`."""
    one, other = first.pixels, second.pixels
    if one.shape != other.shape:
        raise StudioError(
            f"{second.name} takes images of {_size(other.shape)}, {first.name} of "
            f"{_size(one.shape)}; only networks that take images of one size are compared."
        )
    if one.bounds != other.bounds:
        raise StudioError(
            f"{second.name} takes pixels from {other.minimum:g} to {other.maximum:g}, {first.name} "
            f"from {one.minimum:g} to {one.maximum:g}; only networks that take the same pixels are "
            "compared."
        )


def check_count(neurons: Sequence[Neuron], chains: int) -> None:
    """See that neurons of one lane suit as many chains as the other lane has, or `StudioError`."""
    if len(neurons) not in (1, chains):
        raise StudioError(
            f"Both networks have as many chains, {chains}; name one neuron for each of them, or "
            "one for all."
        )


def matched(network: Network, neurons: Sequence[Neuron]) -> tuple[Neuron, ...] | None:
    """Return the neurons of these addresses in another network, None if it lacks one of them."""
    try:
        return tuple(network.check(neuron) for neuron in neurons)
    except StudioError:
        return None


def matched_or_kept(
    network: Network, wanted: Sequence[Neuron], shown: tuple[Neuron, ...]
) -> tuple[Neuron, ...]:
    """Return what another network shows once the first one shows the `wanted` neurons.

    Where it lacks one of them, what it has `shown`, one for each chain; for another number of
    chains, neurons of its last layer.
    """
    found = matched(network, wanted)
    if found is not None:
        return found
    if len(wanted) in (1, len(shown)):
        return shown
    return network.default_neurons(len(wanted))


def unmatched(network: Network, wanted: Sequence[Neuron], shown: Sequence[Neuron]) -> str:
    """Say which of the `wanted` neurons a network lacks, and what is `shown` instead; or nothing.

    A neuron that it has, and that is not shown, was chosen so by somebody.
    """
    missing = next((n for n in wanted if matched(network, [n]) is None), None)
    if missing is None or tuple(wanted) == tuple(shown):
        return ""
    names = list(dict.fromkeys(map(str, shown)))
    instead = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    return f"{network.name} has no neuron {missing} and shows {instead} instead; choose another."


def _size(shape: tuple[int, int, int]) -> str:
    return " x ".join(map(str, shape))
