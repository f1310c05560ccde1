"""Which settings average over the chains of one mode, apart from the other chains."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.suiting import EACH_ALONE

if TYPE_CHECKING:
    from ldam_studio.engine.outline import LaneOutline

APART = 1  # the averaging group of the mode; all other chains have 0


def averaged_apart(lane: LaneOutline, chains: Collection[int]) -> dict[str, Any]:
    """Return the settings with which some chains are averaged together, without the others."""
    groups = tuple(APART * (chain in chains) for chain in range(len(lane.neurons)))
    return {"average_over": "both", "average_group": groups}


def are_averaged_apart(lane: LaneOutline, chains: Collection[int]) -> bool:
    """Return whether most of the chains that are averaged apart are among `chains`.

    A mode keeps most of its chains, while some of them go on to others, and others join.
    """
    group = lane.settings.average_group
    if lane.settings.average_over == "time" or not isinstance(group, tuple):
        return False
    apart = {chain for chain, number in enumerate(group) if number == APART}
    return 2 * len(apart & set(chains)) > len(apart)


def each_alone(lane: LaneOutline) -> dict[str, Any]:
    """Return the settings that end such an average; empty if there is none."""
    return EACH_ALONE if isinstance(lane.settings.average_group, tuple) else {}
