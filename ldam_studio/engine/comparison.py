"""Networks side by side: what a further lane begins with, and which neurons correspond.

All lanes have as many chains, are fed the same noise, and take the same steps. Neurons are matched
by address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings

MOST_LANES = 8


@dataclass(frozen=True)
class LaneSpec:
    """What a lane beside the first one begins with.

    Attributes
    ----------
    neurons
        One per chain, or one for all; None for those of the first lane, where the network has them
        all, else the first of its last layer.
    settings
        None for those of the first lane.
    restart
        Whether all lanes start anew from the session's seed. Otherwise the new lane goes on from
        where the first one's pixels are; all burn in and average anew, so that alike lanes average
        the same samples.
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


def lane_name(number: int) -> str:
    """Return what a lane is called where there are several: A, B, C, ..."""
    return chr(ord("A") + number)


def check_alike(first: Network, other: Network) -> None:
    """See that two networks take the same images, or raise `StudioError`."""
    here, there = first.pixels, other.pixels
    if here.shape != there.shape:
        raise StudioError(
            f"{other.name} takes images of {_size(there.shape)}, {first.name} of "
            f"{_size(here.shape)}; only networks that take images of one size are compared."
        )
    if here.bounds != there.bounds:
        raise StudioError(
            f"{other.name} takes pixels from {there.minimum:g} to {there.maximum:g}, {first.name} "
            f"from {here.minimum:g} to {here.maximum:g}; only networks that take the same pixels "
            "are compared."
        )


def check_count(neurons: Sequence[Neuron], chains: int) -> None:
    """See that neurons of one lane suit as many chains as other lanes have, or `StudioError`."""
    if len(neurons) not in (1, chains):
        raise StudioError(
            f"Networks side by side have the same number of chains, here {chains}; name one neuron "
            "for each chain, or one for all."
        )


def check_neurons(network: Network, neurons: Sequence[Neuron]) -> None:
    """See that neurons exist and are of one layer, or raise `StudioError`."""
    for neuron in neurons:
        network.check(neuron)
    layers = sorted({neuron.layer for neuron in neurons})
    if len(layers) != 1:
        raise StudioError(
            f"All chains look at one layer, not at {', '.join(layers) or 'none'}; choose neurons "
            "of one layer."
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
