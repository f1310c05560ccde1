"""Values of settings over the lanes of an outline, and the titles of the lanes' networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.rules import may_be_for_one_lane
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.weights.choice import WeightsChoice

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.networks.network import Network

NEURONS = "neurons"


def value_of(outline: Outline, name: str, lane: int) -> Any:
    """Return the value of a setting in one lane; `NEURONS` counts as a setting."""
    return outline.lanes[lane].neurons if name == NEURONS else outline.value(name, lane)


def value_over_lanes(outline: Outline, name: str) -> Any:
    """Return a setting's value if all lanes have the same, else its values as `PerLane`."""
    values = PerLane(value_of(outline, name, lane) for lane in range(len(outline.lanes)))
    return values[0] if all(value == values[0] for value in values) else values


def changes_to(outline: Outline, name: str, value: Any, lane: int | None) -> list[Change]:
    """Return the changes that set a value.

    Parameters
    ----------
    value
        The value; `PerLane` values give each lane its own.
    lane
        The lane to change, if the setting may differ between lanes; None for all lanes.
    """
    if isinstance(value, PerLane):
        own = value[: len(outline.lanes)]
        return [Change(name, one, number) for number, one in enumerate(own)]
    return [Change(name, value, lane if may_be_for_one_lane(name) else None)]


def are_numbers(values: PerLane) -> bool:
    """Return whether each lane has one number for all chains."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def largest(value: Any) -> float:
    """Return the largest number in a value, which may be a (nested) tuple per lane or chain."""
    return max(map(largest, value)) if isinstance(value, tuple) else float(value)


def weights_words(network: Network) -> str:
    """Return the name of a network's weights; empty if they are the ones it comes with."""
    if network.provenance.untrained:
        return "untrained"
    if network.provenance.random_seed is not None:
        return WeightsChoice(seed=network.provenance.random_seed).name
    if network.weights is None:
        return ""
    several = len(network.provenance.mean_of)
    choice = WeightsChoice(network.weights, network.provenance.weights_key)
    return (f"mean of {several} up to " if several else "") + choice.name


def with_weights(title: str, network: Network) -> str:
    """Return a title followed by the name of the weights, if the network has other weights."""
    return " · ".join(filter(None, (title, weights_words(network))))


def network_titles(networks: Sequence[Network], given: Sequence[str]) -> tuple[str, ...]:
    """Return titles for compared networks, in which a copy of the first says "other settings".

    Where the `given` title is empty, it is the network's name and its weights file.
    """
    titles = [
        title or with_weights(short_name(network.name), network)
        for network, title in zip(networks, given, strict=True)
    ]
    first, *others = titles
    return first, *(f"{t} · other settings" if t == first else t for t in others)
