"""Values of settings that fit the lanes they are for: stable steps, and what suits a neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.suiting import WEIGHT, suited
from ldam_studio.errors import StudioError
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import NEURONS
from ldam_studio.sampler.stability import limited

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.networks.neurons import Neuron


def stable_values(
    outline: Outline, acting: int | None, values: Mapping[str, Any]
) -> tuple[Mapping[str, Any], str]:
    """Return values with which steps are stable, and sentences about those that were limited.

    Parameters
    ----------
    acting
        The lane that is to have the values; None for all lanes.
    values
        Values by name; `PerLane` values give each lane its own. If one is not valid, all are
        returned as they are.
    """
    lanes = outline.lanes
    found, told = dict(values), []
    for number in range(len(lanes)) if acting is None else (acting,):
        lane = lanes[number]
        own = {n: v[number] if isinstance(v, PerLane) else v for n, v in found.items()}
        try:
            stable, said = limited(lane.settings, own, lane.network.pixels.shape)
        except StudioError:
            return values, ""
        for name in [name for name in stable if stable[name] != own.get(name)]:
            each = found.get(name)
            if isinstance(each, PerLane):
                each = PerLane((*each[:number], stable[name], *each[number + 1 :]))
            found[name] = each if isinstance(each, PerLane) else stable[name]
        told += [said] * (bool(said) and said not in told)
    return found, " ".join(told)


def suited_values(
    outline: Outline, acting: int | None, neurons: tuple[Neuron, ...], judged: Any
) -> dict[str, Any]:
    """Return the settings that change when lanes turn to neurons; none if they cannot.

    Values are `PerLane` where lanes differ.

    Parameters
    ----------
    acting
        The lane that turns; None for all lanes.
    neurons
        As many as there are chains.
    judged
        The discriminator's weight for classes, if it was taken away; else None.
    """
    try:
        after = outline.after(Change(NEURONS, neurons, acting))
    except StudioError:
        return {}
    lanes = list(zip(outline.lanes, after.lanes, strict=True))
    each = [suited(lane, turned.neurons, judged) for lane, turned in lanes]
    found: dict[str, Any] = {}
    names = dict.fromkeys(name for values in each for name in values)
    if outline.discriminator is None:
        names.pop(WEIGHT, None)
    for name in names:
        kept = [getattr(lane.settings, name) for lane, _ in lanes]
        found[name] = PerLane(v.get(name, k) for v, k in zip(each, kept, strict=True))
        if found[name].count(found[name][0]) == len(lanes):
            found[name] = found[name][0]
    return found
