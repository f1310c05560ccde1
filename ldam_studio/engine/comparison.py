"""Networks side by side: how another lane starts, and which neurons correspond.

All lanes have the same number of chains, use the same noise and take the same steps. Neurons are
matched by address.
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
    """How a lane beside the first one starts.

    Attributes
    ----------
    neurons
        One per chain, or one for all. None for the neurons of the first lane if the network has all
        of them, otherwise for neurons of its last layer.
    settings
        None for those of the first lane.
    restart
        Whether all lanes restart from the session's seed. Otherwise the new lane starts with the
        first lane's pixels. In both cases all lanes burn in and average anew, so that equal lanes
        average the same samples.
    """

    network: Network
    neurons: tuple[Neuron, ...] | None = None
    settings: Settings | None = None
    restart: bool = True

    def json(self) -> dict[str, Any]:
        """Return the description that a recipe stores."""
        return {
            "network": self.network.reference,
            "neurons": None if self.neurons is None else [str(n) for n in self.neurons],
            "settings": None if self.settings is None else asdict(self.settings),
            "restart": self.restart,
        }


def lane_name(number: int) -> str:
    """Return the name of a lane when several are shown: A, B, C, ..."""
    return chr(ord("A") + number)


def check_alike(first: Network, other: Network) -> None:
    """Check that two networks take the same images; raise `StudioError` otherwise."""
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
    """Check that there is one neuron for each chain or one for all; `StudioError` otherwise."""
    if len(neurons) not in (1, chains):
        raise StudioError(
            f"Networks side by side have the same number of chains, here {chains}; name one neuron "
            "for each chain, or one for all."
        )


def checked(network: Network, neurons: Sequence[Neuron]) -> tuple[Neuron, ...]:
    """Return the neurons with their layer's present name.

    Raises
    ------
    StudioError
        If they do not exist, or do not share one layer.
    """
    neurons = tuple(network.check(neuron) for neuron in neurons)
    layers = sorted({neuron.layer for neuron in neurons})
    if len(layers) != 1:
        raise StudioError(
            f"All chains look at one layer, not at {', '.join(layers) or 'none'}; choose neurons "
            "of one layer."
        )
    return neurons


def matched(network: Network, neurons: Sequence[Neuron]) -> tuple[Neuron, ...] | None:
    """Return the neurons with these addresses in another network; None if it lacks one of them."""
    try:
        return tuple(network.check(neuron) for neuron in neurons)
    except StudioError:
        return None


def matched_or_kept(
    network: Network, wanted: Sequence[Neuron], shown: tuple[Neuron, ...]
) -> tuple[Neuron, ...]:
    """Return the neurons that another network shows once the first one shows the `wanted` neurons.

    These are the `wanted` neurons if the network has all of them. Otherwise they are the neurons
    `shown` so far, one for each chain, or neurons of its last layer if the number of chains
    changes.
    """
    found = matched(network, wanted)
    if found is not None:
        return found
    if len(wanted) in (1, len(shown)):
        return shown
    return network.default_neurons(len(wanted))


def unmatched(network: Network, wanted: Sequence[Neuron], shown: Sequence[Neuron]) -> str:
    """Return a sentence about a `wanted` neuron that the network lacks; empty if it lacks none.

    It is also empty if `shown` equals `wanted`. A neuron that the network has but does not show was
    chosen deliberately, so that nothing is said about it.
    """
    missing = next((n for n in wanted if matched(network, [n]) is None), None)
    if missing is None or tuple(wanted) == tuple(shown):
        return ""
    names = list(dict.fromkeys(map(str, shown)))
    instead = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    return f"{network.name} has no neuron {missing} and shows {instead} instead; choose another."


def _size(shape: tuple[int, int, int]) -> str:
    return " x ".join(map(str, shape))
