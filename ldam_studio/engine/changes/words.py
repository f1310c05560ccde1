"""Words for the traces about changes; chains are counted from 1 as in the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.changes.network_rules import neurons_of
from ldam_studio.engine.outline import Outline
from ldam_studio.sampler.curve import points_of
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.kept_pictures import StartFrom
    from ldam_studio.networks.network import Network


def counted(count: int, noun: str) -> str:
    """Return a number of things, such as "1 chain" and "2 chains"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def setting(change: Change, after: Outline) -> str:
    """Return a setting and its value."""
    value = after.value(change.name, change.lane or 0)
    if isinstance(value, tuple):
        shown = "per chain"
    elif SETTINGS[change.name].scale == "curve":
        shown = f"of {counted(len(points_of(value)), 'point')}"
    elif isinstance(value, bool):
        shown = "on" if value else "off"
    else:
        shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{SETTINGS[change.name].label.lower()} {shown}"


def neurons(change: Change, _after: Outline) -> str:
    """Return the first of the neurons, and whether there are others."""
    names = [str(neuron) for neuron in neurons_of(change.value)]
    return names[0] if len(set(names)) == 1 else f"{names[0]} ..."


def weights(change: Change, _after: Outline) -> str:
    """Return the name of the file of weights."""
    network: Network = change.value
    return f"weights {network.name if network.weights is None else network.weights.name}"


def learning(_change: Change, after: Outline) -> str:
    """Return how often the discriminator learns."""
    return f"learning every {after.learn_every}" if after.learn_every else "learning off"


def schedule(change: Change, _after: Outline) -> str:
    """Return what follows the schedule from now on."""
    if change.value is None:
        return "schedule from its start"
    return f"{SETTINGS[change.value].label.lower()} follows the schedule"


def compare(change: Change, _after: Outline) -> str:
    """Return the network that is compared with, if any."""
    if change.value is None:
        return "comparison ended"
    return f"compared with {change.value.network.name}"


def start(change: Change, after: Outline) -> str:
    """Return the kept picture at which chains begin."""
    wanted: StartFrom = change.value
    chains = "" if wanted.chains is None else f"{counted(len(wanted.chains), 'chain')} "
    return f"{chains}from {after.pictures[wanted.picture].title}"


def rest(change: Change, after: Outline) -> str:
    """Return where L2 pulls."""
    if change.value is None:
        return "L2 towards the rest colour"
    return f"L2 towards {after.pictures[change.value].title}"


def heat(factor: float) -> str:
    """Return that chains are heated or cooled."""
    return "cooled" if factor == 1 else f"heat × {factor:g}"


def heated(change: Heated) -> str:
    """Return that some chains are heated or cooled."""
    return some(change.chains, heat(change.heat))


def some(chains: Sequence[int], done: str) -> str:
    """Return what is done to some chains."""
    if len(chains) > 3:
        return f"{counted(len(chains), 'chain')}: {done}"
    noun = "chain" if len(chains) == 1 else "chains"
    return f"{noun} {', '.join(str(chain + 1) for chain in chains)}: {done}"
