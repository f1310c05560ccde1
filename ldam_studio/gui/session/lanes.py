"""A setting's value over the lanes of an outline, and what the window calls their networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import may_be_for_one_lane
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.networks.network import Network

NEURONS = "neurons"


def value_of(outline: Outline, name: str, lane: int) -> Any:
    """Return the value of a setting in one lane; the neurons of its chains are one, too."""
    return outline.lanes[lane].neurons if name == NEURONS else outline.value(name, lane)


def value_over_lanes(outline: Outline, name: str) -> Any:
    """Return the value of a setting that all lanes have in common, or the values `PerLane`."""
    values = PerLane(value_of(outline, name, lane) for lane in range(len(outline.lanes)))
    return values[0] if all(value == values[0] for value in values) else values


def changes_to(outline: Outline, name: str, value: Any, lane: int | None) -> list[Change]:
    """Return the changes that give a setting a value.

    Parameters
    ----------
    value
        With `PerLane` values, each lane gets its own.
    lane
        The lane that is meant where the setting may differ between lanes; None for all of them.
    """
    if isinstance(value, PerLane):
        own = value[: len(outline.lanes)]
        return [Change(name, one, number) for number, one in enumerate(own)]
    return [Change(name, value, lane if may_be_for_one_lane(name) else None)]


def are_numbers(values: PerLane) -> bool:
    """Return whether each lane has one number for all chains."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def largest(value: Any) -> float:
    """Return the largest number in a value of one or several lanes, of one or all chains."""
    return max(map(largest, value)) if isinstance(value, tuple) else float(value)


def weights_words(network: Network) -> str:
    """Return whose weights a network has; nothing where they are those that it comes with."""
    if network.provenance.untrained:
        return "untrained"
    if network.weights is None:
        return ""
    several = len(network.provenance.mean_of)
    return (f"mean of {several} up to " if several else "") + network.weights.name


def with_weights(title: str, network: Network) -> str:
    """Return a title that tells weights which are not those that the network comes with."""
    return " · ".join(filter(None, (title, weights_words(network))))


def network_titles(networks: Sequence[Network], given: Sequence[str]) -> tuple[str, ...]:
    """Return what networks side by side are called, told apart from the first one.

    Where no title is `given` (empty), that is the network's name and its own file of weights.
    """
    titles = [
        title or with_weights(short_name(network.name), network)
        for network, title in zip(networks, given, strict=True)
    ]
    first, *others = titles
    return first, *(f"{t} · other settings" if t == first else t for t in others)
