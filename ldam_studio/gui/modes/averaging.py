"""Which settings average over the chains of one mode, apart from the other chains."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldam_studio.engine.outline import LaneOutline

EACH_ALONE: dict[str, Any] = {"average_over": "time", "average_group": 0}
"""The settings with which each chain shows its own average."""


def averaged_apart(lane: LaneOutline, chains: Collection[int]) -> dict[str, Any]:
    """Return the settings with which some chains are averaged together, without the others."""
    groups = tuple(int(chain in chains) for chain in range(len(lane.neurons)))
    return {"average_over": "both", "average_group": groups}


def are_averaged_apart(lane: LaneOutline, chains: Collection[int]) -> bool:
    """Return whether an average is over these chains of one neuron, and no others."""
    if lane.settings.average_over == "time" or not chains:
        return False
    group = lane.settings.average_group
    groups = group if isinstance(group, tuple) else (group,) * len(lane.neurons)
    keys = list(zip(lane.neurons, groups, strict=True))
    first = keys[min(chains)]
    return {chain for chain, key in enumerate(keys) if key == first} == set(chains)


def each_alone(lane: LaneOutline) -> dict[str, Any]:
    """Return the settings that end such an average; empty if there is none."""
    return EACH_ALONE if isinstance(lane.settings.average_group, tuple) else {}
