"""A lane's network term with photo statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ldam_studio.engine import photo_statistics
from ldam_studio.engine.activation import evaluated_in
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.photo_statistics import Balanced, Both, is_wanted
from ldam_studio.engine.state import Lane
from ldam_studio.sampler.views import View, seen_in


def balanced_of(
    lane: Lane,
    device: Device,
    views: Sequence[View],
    between: Callable[[], None] = lambda: None,
) -> Balanced | None:
    """Return the lane's network term with photo statistics; None if they have no effect."""
    if not is_wanted(lane.settings) or lane.targets.crop is not None:
        return None
    found = [_both_in(view, lane, device) for view in views]
    both = [each for each in found if each is not None]
    return Balanced(lane.balance, both, lane.parameters, between) if both else None


def _both_in(view: View, lane: Lane, device: Device) -> Both | None:
    """Return the objective and the departure from photographs; None if nothing is compared."""
    network, units = evaluated_in(view, lane)
    expected = lane.network.expected(network.pixels.side, lane.targets.layer)
    if expected is None:
        return None
    tolerance = lane.settings.statistics_tolerance
    fields, rest = lane.targets.fields, network.pixels.rest

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        seen = x
        if view != View():
            seen = seen_in(view, fields, x, rest, arithmetic=device.arithmetic)(x)
        value, moments = network.activation_and_moments(seen, units, expected, device.plan)
        return value.float(), expected.departure(moments, tolerance)

    return both


def without_statistics(lane: Lane) -> str:
    """Return a sentence about photo statistics that have no effect in a lane, or an empty one."""
    part = lane.targets.crop is not None
    return photo_statistics.sentence(lane.network, lane.targets.layer, lane.settings, part=part)


def can_be_measured(lane: Lane) -> bool:
    """Return whether photographs of the user's would change what a lane's photo statistics do."""
    part = lane.targets.crop is not None
    return photo_statistics.can_be_measured(
        lane.network, lane.targets.layer, lane.settings, part=part
    )
