"""Chains in their schedule: the values of settings and the size of images that they have now.

A lane between two steps always fits its clock: its images, network and parameters are those of its
next step. `follow` sees to that after each step, `fitted` after a change of settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.lane import begin, with_clock
from ldam_studio.engine.parts import scheduled
from ldam_studio.engine.state import Lane
from ldam_studio.engine.tempering import tempered
from ldam_studio.sampler import schedule
from ldam_studio.sampler.prepare import Heat, repaced
from ldam_studio.sampler.schedule import STARTS, at_present, moves, points, runs
from ldam_studio.sampler.settings import PerChain
from ldam_studio.sampler.views import sides_of_views


def follow(lanes: Sequence[Lane], device: Device, heat: Heat) -> tuple[tuple[Lane, ...], list[str]]:
    """Set the clocks of lanes that took a step one step later, and what their schedules change.

    Returns the lanes, and the lines to write into the traces.
    """
    followed, told = [], []
    for number, lane in enumerate(lanes):
        later = replace(lane, clock=lane.clock.after_step())
        if moves(later.settings, later.clock):
            later = fitted(later, device, heat)
        followed.append(later)
        words = _words(lane, later)
        if words:
            told.append(f"{lane_name(number)}: {words}" if len(lanes) > 1 else words)
    return tuple(followed), told


def _words(before: Lane, after: Lane) -> str:
    if after.sized.pixels.shape != before.sized.pixels.shape:
        return f"resolution {after.sized.pixels.side}"
    return keeps_one_size(after).rstrip(".") if not before.clock.steps else ""


def fitted(lane: Lane, device: Device, heat: Heat) -> Lane:
    """Return the lane with the step size, temperature and size of its settings and clock.

    At another size the picture is kept; averages and burn-in start again. A burn-in of a fixed
    number of steps still counts them from the chains' start.
    """
    before = lane.sized
    lane = with_clock(lane, lane.clock)
    if lane.sized.pixels.shape != before.pixels.shape:
        steps = lane.progress.steps
        lane = begin(lane, lane.chains.x, device, heat)
        return replace(lane, progress=replace(lane.progress, steps=steps))
    now = at_present(lane.settings, lane.clock)
    return tempered(replace(lane, parameters=repaced(lane.parameters, now, heat)), heat)


def is_coarse(lane: Lane) -> bool:
    """Return whether the chains have the start resolution of their schedule at present."""
    settings = scheduled(lane.network, lane.neurons, lane.settings)
    return schedule.is_coarse(settings, lane.clock)


def present_values(lane: Lane, chain: int) -> dict[str, float]:
    """Return the values that a schedule gives one chain at present, by the settings' names."""
    settings = scheduled(lane.network, lane.neurons, lane.settings)
    now = at_present(settings, lane.clock)
    names = (name for name in STARTS if runs(settings, lane.clock, name))
    return {name: _of_chain(getattr(now, name), chain) for name in names}


def is_moving(lane: Lane) -> bool:
    """Return whether a schedule still gives settings other values."""
    settings = scheduled(lane.network, lane.neurons, lane.settings)
    return schedule.moves(settings, lane.clock) and bool(present_values(lane, 0))


def taken_over(lane: Lane) -> tuple[str, ...]:
    """Return the names of settings that the schedule would give values if no one had moved them."""
    settings = scheduled(lane.network, lane.neurons, lane.settings)
    back = replace(lane.clock, taken=frozenset())
    return tuple(n for n in STARTS if n in lane.clock.taken and runs(settings, back, n))


def _of_chain(value: PerChain, chain: int) -> float:
    return value[chain] if isinstance(value, tuple) else value


def keeps_one_size(lane: Lane) -> str:
    """Return a sentence if the settings ask for other sizes of images than the network takes."""
    settings, own = lane.settings, lane.network.pixels.side
    wanted = {settings.resolution, settings.resolution_start, *sides_of_views(settings, own)}
    wanted |= {int(point.value) for point in points(settings, "resolution")}
    wanted -= {0, own}
    if not wanted or any(lane.network.at_side(side) is not None for side in wanted):
        return ""
    return (
        f"{lane.network.name} takes images of one size only, so Resolution and the size of views "
        "have no effect."
    )
