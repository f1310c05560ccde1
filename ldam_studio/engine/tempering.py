"""Parallel tempering in a lane: which chains form ladders, their temperatures, their exchanges.

A lane between two steps always has the ladders of its settings and neurons (`tempered`). Images are
exchanged at the beginning of a step, where the kernel needs the networks' values anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine.balanced import without_statistics
from ldam_studio.engine.photo_statistics import is_wanted
from ldam_studio.engine.prior import denoiser_of
from ldam_studio.engine.state import Lane
from ldam_studio.sampler import average, kernels, tempering
from ldam_studio.sampler.average import Average
from ldam_studio.sampler.burn_in import BurnIn
from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.look import values_at
from ldam_studio.sampler.objective import Recalled
from ldam_studio.sampler.prepare import Heat, at_temperatures, column, mode_of
from ldam_studio.sampler.schedule import at_present

SOURCE = "swap"
"""The random source of the exchanges: one number in [0, 1) for each chain."""


def obstacle(lane: Lane) -> str:
    """Return a sentence about why a lane's chains form no ladders; empty if they do.

    It is also empty if the setting does not ask for ladders.
    """
    settings = lane.settings
    if settings.tempering < 2:
        return ""
    coldest = settings.temperature
    if mode_of(settings) == "by pixel":
        return f"No effect with the kernel {settings.kernel}: its density is not known."
    if mode_of(settings) != "exact":
        return "No effect: only the mode exact, or the kernel mala, has a known density."
    if (min(coldest) if isinstance(coldest, tuple) else coldest) <= 0:
        return "No effect at temperature 0."
    if denoiser_of(lane) is not None:
        return "No effect with the denoiser, which has no density."
    balanced = is_wanted(settings) and lane.targets.crop is None and not without_statistics(lane)
    if balanced:
        return "No effect with photo statistics: each chain has its own density then."
    if len(set(lane.neurons)) == len(lane.neurons):
        return "No effect: each temperature needs a chain of the same neuron; raise Chains."
    return ""


def note(lane: Lane) -> str:
    """Return a sentence about what the setting means for a lane, or an empty one."""
    if lane.tempering is None:
        return obstacle(lane)
    ladders = lane.tempering.ladders
    count, longest = len(ladders.table), max(ladders.rungs) + 1
    words = f"1 ladder of {longest} rungs" if count == 1 else f"{count} ladders of {longest} rungs"
    if longest < lane.settings.tempering:
        words += "; each rung needs a chain of the same neuron"
    if lane.kernel.rejects:
        return f"{words}."
    return f"{words}. The kernel mala makes it exact."


def tempered(lane: Lane, heat: Heat) -> Lane:
    """Return the lane with the ladders of its settings and neurons, and their temperatures.

    The gaps of ladders that it has already are kept. `heat` multiplies temperatures, as those of
    the lane's parameters.
    """
    had = lane.tempering
    if lane.settings.tempering < 2 or obstacle(lane):
        return lane if had is None else replace(lane, tempering=None)
    ladders = tempering.ladders_of(lane.neurons, lane.settings.tempering, lane.chains.x.device)
    if ladders is None:
        return replace(lane, tempering=None)
    if had is None or not torch.equal(had.ladders.table, ladders.table):
        had = tempering.begin(ladders, lane.chains.x[0].numel())
    asked = column(at_present(lane.settings, lane.clock).temperature, lane.parameters.step_size)
    had = replace(had, coldest=(asked[had.ladders.cold] * heat).flatten())
    return _warmed(replace(lane, tempering=had))


def _warmed(lane: Lane) -> Lane:
    assert lane.tempering is not None
    temperature = lane.tempering.temperature().reshape(-1, 1, 1, 1)
    return replace(lane, parameters=at_temperatures(lane.parameters, temperature))


def unsettled(lane: Lane) -> Lane:
    """Return the lane, whose ladders set themselves anew because the density has changed."""
    if lane.tempering is None:
        return lane
    return replace(lane, tempering=lane.tempering.unsettled())


def exchanged(
    lane: Lane,
    drawn: Mapping[str, Tensor],
    density: Density,
    *,
    still: Tensor | None,
    adapting: bool,
) -> tuple[Lane, Density]:
    """Let neighbours on ladders exchange their images, before a step of the lane.

    Returns the lane, and the density with the networks' values at the exchanged images. A lane
    without ladders is returned as it is.

    Parameters
    ----------
    still
        Chains that keep their images, (chains,); None if there are none.
    adapting
        Whether the ladders set themselves; they do not while the chains melt.
    """
    if lane.tempering is None:
        return lane, density
    sources = {name: Recalled(source) for name, source in density.sources.items()}
    density = replace(density, sources=sources)
    x, parameters = lane.chains.x, lane.parameters
    values, factors = values_at(x, parameters, density)
    led = density.led()
    found = tempering.exchange(
        lane.tempering,
        values,
        factors,
        drawn[SOURCE],
        lane.clock.steps,
        still=still if led is None else led if still is None else led | still,
        adapting=adapting,
    )
    order, warmth = found.order, parameters.temperature
    moved = x[order]
    # Not 0 / 0 at temperature 0, at which nothing is exchanged.
    ratio = torch.where(warmth == warmth[order], 1.0, warmth / warmth[order])
    memory = lane.kernel.exchanged(lane.chains.memory, order, ratio)
    for source in sources.values():
        source.reorder(moved, order)
    lane = replace(lane, chains=kernels.State(moved, memory), tempering=found.tempering)
    return _warmed(lane), density


def mirrored(lane: Lane, progress: BurnIn) -> BurnIn:
    """Return progress in which hot chains are burned in and steady as their coldest chain is."""
    if lane.tempering is None:
        return progress
    cold = lane.tempering.ladders.cold
    return replace(progress, done=progress.done[cold], steady=progress.steady[cold])


def averaged(lane: Lane, mean: Average, x: Tensor) -> Average:
    """Return averages with one more sample of each chain; hot chains take none."""
    further = average.update(mean, x, lane.settings.window)
    if lane.tempering is None:
        return further
    return average.selected(lane.tempering.ladders.is_cold, further, mean)
