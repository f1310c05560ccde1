"""Making lanes, and giving a lane other neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine import burn_in_threshold, photo_statistics, silent_neurons
from ldam_studio.engine.comparison import checked
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.memory_needed import check_memory
from ldam_studio.engine.outline import LaneOutline
from ldam_studio.engine.parts import scheduled
from ldam_studio.engine.state import Lane, Targets
from ldam_studio.engine.tempering import tempered, unsettled
from ldam_studio.engine.trust import Trust
from ldam_studio.networks.anatomy.class_values import ClassValue
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.plan import PLAIN, Plan
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.preconditioner import clouds
from ldam_studio.sampler.prepare import Heat, parameters_of
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.resize import resized
from ldam_studio.sampler.schedule import Clock, at_present, points
from ldam_studio.sampler.schedule_settings import CURVES
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import sides_of_views


def open_lane(outline: LaneOutline, device: Device, generators: Generators) -> Lane:
    """Make a lane with one freshly started chain per neuron."""
    network, neurons = outline.network, outline.neurons
    chains, settings = len(neurons), outline.settings
    checked(network, neurons)
    sized = sized_for(network, neurons, settings, Clock())
    # First of all, because it checks whether the chains fit into memory.
    trust = Trust.at_first(confirmed=device.confirmed)
    found = targets(network, sized, neurons, settings, device.plan, trust)
    x = draw_starts(sized, settings, generators, range(chains), device.arithmetic)
    lane = Lane(
        network=network,
        sized=sized,
        neurons=neurons,
        settings=settings,
        targets=found,
        parameters=parameters_of(
            at_present(settings, Clock()), chains, device.name, arithmetic=device.arithmetic
        ),
        chains=kernels.State(x),
        average=average.init(x),
        progress=burn_in.init(chains, device.name),
        thresholds=burn_in_threshold.begin(settings, chains, device.name),
        waking=silent_neurons.begin(chains, device.name),
        balance=photo_statistics.begin(chains, device.name),
        trust=trust,
    )
    return tempered(lane, 1.0)


def sized_for(
    network: Network, neurons: Sequence[Neuron], settings: Settings, clock: Clock
) -> Network:
    """Return a network for images of the present size; itself if it takes its own size only."""
    now = at_present(scheduled(network, neurons, settings), clock)
    return network.at_side(now.resolution) or network


def draw_starts(
    network: Network,
    settings: Settings,
    generators: Generators,
    chains: Sequence[int],
    arithmetic: int,
) -> Tensor:
    """Draw x0 = rest + spread * xi for the chains with these numbers.

    Each chain has its own random source. With a start spectrum, xi is replaced by R xi, the clouds
    of `sampler.preconditioner`.

    In `arithmetic` 1 (see `kernels.Parameters`) clouds are laid out by channel, and so is all that
    follows; drawing noise in that layout takes many times longer.
    """
    pixels = network.pixels
    noise = generators.normal("start", (len(chains), *pixels.shape), chains)
    noise = clouds(noise, settings.start_spectrum, settings.colour_correlation)
    if arithmetic > 1:
        noise = noise.contiguous()
    x = pixels.rest + settings.start_spread * noise
    return x.clamp_(*pixels.bounds) if settings.clamp else x


def targets(
    opened: Network,
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    plan: Plan = PLAIN,
    trust: Trust = Trust.CROP,
) -> Targets:
    """Return units, receptive fields and crop of the chains' neurons.

    Parameters
    ----------
    opened, network
        The network to which the neurons belong, and the same for images of the present size.
    trust
        What is believed of the neurons' receptive fields.

    Raises
    ------
    StudioError
        If memory is too small, or the file of the photo statistics is damaged or missing.
    """
    photo_statistics.check(opened, settings)
    numbers = {neuron: number for number, neuron in enumerate(dict.fromkeys(neurons))}
    groups = torch.tensor([numbers[neuron] for neuron in neurons], device=network.device)
    of_opened, neurons = neurons, network.seen_from(opened, neurons)
    layer = neurons[0].layer
    places = {
        neuron.place: network.receptive_field(layer, neuron.place) if trust.has_fields else None
        for neuron in neurons
    }
    fields = tuple(places[neuron.place] for neuron in neurons)
    crop = None
    if trust.has_crops and len(places) == 1:
        crop = network.crop(layer, neurons[0].place, former=trust is Trust.FORMER)
    check_memory(network, layer, crop, len(neurons), plan)
    # What does not fit later in a schedule is refused before it begins.
    final = max(_later(opened, of_opened, settings), key=lambda n: n.pixels.side)
    if crop is None and final.pixels.side > network.pixels.side:
        check_memory(final, layer, None, len(neurons), plan)
    value = opened.class_value(layer, settings.objective)
    sizes = [_values_in(field, network) for field in fields]
    sees_all = crop is None and not any(fields)
    return Targets(
        layer=layer,
        units=network.units(neurons, value)
        if crop is None
        else crop.units(tuple(neurons), network.device, value),
        crop=crop,
        groups=groups,
        fields=fields,
        field_size=sizes[0] if len(set(sizes)) == 1 else torch.tensor(sizes, device=network.device),
        sizes=_at_sizes(opened, network, of_opened, settings, value) if sees_all else {},
    )


def _later(opened: Network, neurons: Sequence[Neuron], settings: Settings) -> list[Network]:
    """Return the network for each size of images that a schedule leads to."""
    sides = [settings.resolution]
    if settings.schedule_shape == CURVES:
        drawn = points(scheduled(opened, neurons, settings), "resolution")
        sides += [int(point.value) for point in drawn]
    return [opened.at_side(side) or opened for side in sides]


def _at_sizes(
    opened: Network,
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    value: ClassValue | None,
) -> dict[tuple[int, int], Units]:
    """Return the neurons' units for each size of random views, if there are several."""
    found = {}
    for side in sides_of_views(settings, network.pixels.side):
        shown = opened.at_side(side)
        if shown is not None and shown.pixels.side == side:
            _, *size = shown.pixels.shape
            found[size[0], size[1]] = shown.units(shown.seen_from(opened, neurons), value)
    return found if len(found) > 1 else {}


def _values_in(field: Box | None, network: Network) -> int:
    channels, height, width = network.pixels.shape
    top, left, bottom, right = field or (0, 0, height, width)
    return channels * (bottom - top) * (right - left)


def reheat(lane: Lane, device: Device, heat: Heat) -> Lane:
    """Return the lane with its parameters computed anew and its chains marked as settling."""
    lane = replace(unsettled(lane), progress=burn_in.disturb(lane.progress))
    return warmed(lane, device, heat)


def warmed(lane: Lane, device: Device, heat: Heat) -> Lane:
    """Return the lane with its parameters computed anew."""
    now = at_present(lane.settings, lane.clock)
    found = parameters_of(now, len(lane.neurons), device.name, heat, device.arithmetic)
    return tempered(replace(lane, parameters=found), heat)


def turn(
    lane: Lane,
    outline: LaneOutline,
    device: Device,
    generators: Generators,
    heat: Heat,
    *,
    anew: bool = False,
) -> Lane:
    """Give a lane's chains the network, neurons and settings of an outline.

    Existing pictures stay, unless the network takes other images; averages and burn-in start again.
    If there are more neurons than chains, chains are added. The schedule starts again, unless all
    chains keep network and neuron: small steps at its end would take long to turn a picture. With
    `anew` it starts again in any case: replay opens a network anew that was chosen once more.
    """
    network, neurons, settings = outline.network, outline.neurons, outline.settings
    same = network is lane.network and not anew
    goes_on = same and neurons == lane.neurons[: len(neurons)]
    clock = lane.clock if goes_on else Clock()
    trust = lane.trust if goes_on else Trust.at_first(confirmed=device.confirmed)
    checked(network, neurons)
    sized = sized_for(network, neurons, settings, clock)
    found = targets(network, sized, neurons, settings, device.plan, trust)
    channels, *size = sized.pixels.shape
    kept = lane.chains.x[: len(neurons)]
    if network.pixels.shape == lane.network.pixels.shape:
        kept = resized(kept, (size[0], size[1]))
    else:
        kept = kept.new_empty((0, channels, *size))
    added = range(len(kept), len(neurons))
    new = draw_starts(sized, settings, generators, added, device.arithmetic)
    turned = replace(
        lane,
        network=network,
        sized=sized,
        neurons=neurons,
        settings=settings,
        targets=found,
        trust=trust,
        clock=clock,
    )
    return begin(turned, torch.cat([kept, new]), device, heat)


def with_trust(lane: Lane, trust: Trust) -> Lane:
    """Return the lane with another belief in its neurons' receptive fields."""
    if trust is lane.trust:
        return lane
    found = targets(lane.network, lane.sized, lane.neurons, lane.settings, trust=trust)
    return replace(lane, trust=trust, targets=found)


def with_clock(lane: Lane, clock: Clock) -> Lane:
    """Return the lane at another time of its schedule, for chains of the size of that time."""
    sized = sized_for(lane.network, lane.neurons, lane.settings, clock)
    found = lane.targets
    if sized.pixels.shape != lane.sized.pixels.shape:
        found = targets(lane.network, sized, lane.neurons, lane.settings, trust=lane.trust)
    return replace(lane, sized=sized, targets=found, clock=clock)


def begin(lane: Lane, x: Tensor, device: Device, heat: Heat) -> Lane:
    """Return the lane with its chains at `x`, without averages or burn-in.

    If `x` has another size than the lane's images, it is interpolated.
    """
    x = resized(x, (lane.sized.pixels.height, lane.sized.pixels.width))
    now = at_present(lane.settings, lane.clock)
    lane = replace(
        lane,
        tempering=None,
        parameters=parameters_of(now, len(x), device.name, heat, device.arithmetic),
        chains=kernels.begin(x, lane.bounds),
        average=average.init(x),
        progress=burn_in.init(len(x), device.name),
        thresholds=burn_in_threshold.begin(lane.settings, len(x), device.name),
        waking=silent_neurons.begin(len(x), device.name),
        balance=photo_statistics.begin(len(x), device.name),
    )
    return tempered(lane, heat)
