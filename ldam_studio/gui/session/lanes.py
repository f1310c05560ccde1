"""What the window knows of a second lane, and a setting's value where the lanes differ in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.per_lane import PerLane
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.engine.state import Lane
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.settings import Settings

FIRST, SECOND = 0, 1


@dataclass(frozen=True)
class LaneView:
    """The second lane as the window shows and steers it; `title` is what it is called there."""

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings
    title: str = ""

    @classmethod
    def of(cls, lane: Lane) -> LaneView:
        """Read a lane of a session that is not running."""
        return cls(lane.network, lane.neurons, lane.settings)


def both(first: Any, second: Any) -> Any:
    """Return the value that two lanes have in common, or both values `PerLane`."""
    return first if first == second else PerLane((first, second))


def are_numbers(values: PerLane) -> bool:
    """Return whether each lane has one number for all chains."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def largest(value: Any) -> float:
    """Return the largest number in a value of one or both lanes, of one or all chains."""
    return max(map(largest, value)) if isinstance(value, tuple) else float(value)


def weights_words(network: Network) -> str:
    """Return whose weights a network has; nothing where they are those that it comes with."""
    if network.provenance.untrained:
        return "untrained"
    if network.weights is None:
        return ""
    several = len(network.provenance.mean_of)
    return (f"mean of {several} up to " if several else "") + network.weights.name


def network_title(network: Network) -> str:
    """Return what a network is called beside another: its name, and its own file of weights."""
    return with_weights(short_name(network.name), network)


def with_weights(title: str, network: Network) -> str:
    """Return a title that tells weights which are not those that the network comes with."""
    return " · ".join(filter(None, (title, weights_words(network))))


def titles(first: Network, second: LaneView) -> tuple[str, str]:
    """Return what both lanes are called, told apart where they are the same network."""
    here = network_title(first)
    there = second.title or network_title(second.network)
    return here, f"{there} · other settings" if here == there else there
