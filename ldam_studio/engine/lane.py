"""Making lanes, and giving a lane other neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine import burn_in_threshold, silent_neurons
from ldam_studio.engine.comparison import check_neurons
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.memory_needed import check_memory
from ldam_studio.engine.outline import LaneOutline
from ldam_studio.engine.state import Lane, Targets
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.objective import ValueAndGradient, mean_of, value_and_gradient
from ldam_studio.sampler.preconditioner import clouds
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View, draw_views, seen_in, sources_of_views


def open_lane(outline: LaneOutline, device: Device, generators: Generators) -> Lane:
    """Make a lane with one freshly started chain per neuron."""
    network, neurons = outline.network, outline.neurons
    chains, settings = len(neurons), outline.settings
    x = draw_starts(network, settings, generators, range(chains))
    return Lane(
        network=network,
        neurons=neurons,
        settings=settings,
        targets=targets(network, neurons, settings.objective),
        parameters=parameters_of(settings, chains, device.name),
        chains=kernels.State(x),
        average=average.init(x),
        progress=burn_in.init(chains, device.name),
        thresholds=burn_in_threshold.begin(settings, chains, device.name),
        waking=silent_neurons.begin(chains, device.name),
    )


def draw_starts(
    network: Network, settings: Settings, generators: Generators, chains: range
) -> Tensor:
    """Draw x0 = rest + spread * xi for the chains with these numbers.

    Each chain has its own random source. With a start spectrum, xi is replaced by R xi, the clouds
    of `sampler.preconditioner`.
    """
    pixels = network.pixels
    noise = generators.normal("start", (len(chains), *pixels.shape), first=chains.start)
    noise = clouds(noise, settings.start_spectrum, settings.colour_correlation)
    x = pixels.rest + settings.start_spread * noise
    return x.clamp_(*pixels.bounds) if settings.clamp else x


def targets(network: Network, neurons: Sequence[Neuron], objective: str) -> Targets:
    """Return units, receptive fields and crop of the chains' neurons.

    `objective` is the setting with this name.

    Raises
    ------
    StudioError
        If a neuron does not exist, the neurons are in several layers, or memory is too small.
    """
    check_neurons(network, neurons)
    layer = neurons[0].layer
    places = {neuron.place: network.receptive_field(layer, neuron.place) for neuron in neurons}
    fields = tuple(places[neuron.place] for neuron in neurons)
    crop = network.crop(layer, neurons[0].place) if len(places) == 1 else None
    check_memory(network, layer, crop, len(neurons))
    value = network.class_value(layer, objective)
    numbers = {neuron: number for number, neuron in enumerate(dict.fromkeys(neurons))}
    sizes = [_values_in(field, network) for field in fields]
    return Targets(
        layer=layer,
        units=network.units(neurons, value)
        if crop is None
        else crop.units(tuple(neurons), network.device, value),
        crop=crop,
        groups=torch.tensor([numbers[neuron] for neuron in neurons], device=network.device),
        fields=fields,
        field_size=sizes[0] if len(set(sizes)) == 1 else torch.tensor(sizes, device=network.device),
    )


def _values_in(field: Box | None, network: Network) -> int:
    channels, height, width = network.pixels.shape
    top, left, bottom, right = field or (0, 0, height, width)
    return channels * (bottom - top) * (right - left)


def reheat(lane: Lane, device: Device, heat: float) -> Lane:
    """Return the lane with its parameters computed anew and its chains marked as settling."""
    return replace(
        lane,
        parameters=parameters_of(lane.settings, len(lane.neurons), device.name, heat),
        progress=burn_in.disturb(lane.progress),
    )


def turn(
    lane: Lane, outline: LaneOutline, device: Device, generators: Generators, heat: float
) -> Lane:
    """Give a lane's chains the network, neurons and settings of an outline.

    Existing pictures stay, unless the network takes other images; averages and burn-in start again.
    If there are more neurons than chains, chains are added.
    """
    network, neurons, settings = outline.network, outline.neurons, outline.settings
    found = targets(network, neurons, settings.objective)
    kept = lane.chains.x[: len(neurons)]
    if kept.shape[1:] != network.pixels.shape:
        kept = kept.new_empty((0, *network.pixels.shape))
    new = draw_starts(network, settings, generators, range(len(kept), len(neurons)))
    return begin(
        replace(lane, network=network, neurons=neurons, settings=settings, targets=found),
        torch.cat([kept, new]),
        device,
        heat,
    )


def begin(lane: Lane, x: Tensor, device: Device, heat: float) -> Lane:
    """Return the lane with its chains at `x`, without averages or burn-in."""
    return replace(
        lane,
        parameters=parameters_of(lane.settings, len(x), device.name, heat),
        chains=kernels.begin(x, lane.bounds),
        average=average.init(x),
        progress=burn_in.init(len(x), device.name),
        thresholds=burn_in_threshold.begin(lane.settings, len(x), device.name),
        waking=silent_neurons.begin(len(x), device.name),
    )


def sources_of_lanes(lanes: Sequence[Lane]) -> list[str]:
    """Return the names of the random sources of all lanes' views, each once."""
    return list(dict.fromkeys(s for lane in lanes for s in sources_of_views(lane.settings)))


def draw_for_lanes(lanes: Sequence[Lane], generators: Generators) -> list[tuple[View, ...]]:
    """Draw this step's views for each lane.

    All lanes read the same random numbers, so that lanes with equal settings see their images in
    the same views.
    """
    before = {name: generators[name].get_state() for name in sources_of_lanes(lanes)}
    drawn = []
    for lane in lanes:
        for name in sources_of_views(lane.settings):
            generators[name].set_state(before[name])
        pixels = lane.network.pixels
        drawn.append(draw_views(lane.settings, (pixels.height, pixels.width), generators))
    return drawn


def activation_of(
    lane: Lane,
    device: Device,
    views: Sequence[View] = (View(),),
    between: Callable[[], None] = lambda: None,
) -> ValueAndGradient:
    """Return the lane's activation and its gradient as a function of its chains' pixels.

    It is the mean over `views` of the images. `between` is called between forward and backward
    pass, see `value_and_gradient`.

    If the neurons see only a crop of the image, only that crop is evaluated; the gradient is 0
    elsewhere.
    """
    return mean_of([_activation_in(view, lane, device, between) for view in views])


def _activation_in(
    view: View, lane: Lane, device: Device, between: Callable[[], None]
) -> ValueAndGradient:
    targets = lane.targets

    def activation(x: Tensor) -> Tensor:
        with device.autocast():
            return lane.network.activation(x, targets.units).float()

    if view != View():
        box = None if targets.crop is None else targets.crop.box
        shown = seen_in(view, targets.fields, lane.chains.x, lane.network.pixels.rest, box)
        return value_and_gradient(lambda x: activation(shown(x)), between)
    seen = value_and_gradient(activation, between)
    if targets.crop is None:
        return seen
    crop = targets.crop

    def on_the_whole(x: Tensor) -> tuple[Tensor, Tensor]:
        value, part = seen(crop.cut(x))
        gradient = torch.zeros_like(x)
        crop.cut(gradient).copy_(part)
        return value, gradient

    return on_the_whole


def log_real_of(
    discriminator: Callable[[Tensor], Tensor] | None, device: Device
) -> ValueAndGradient | None:
    """Return log D and its gradient as a function of pixels; None without a discriminator."""
    if discriminator is None:
        return None
    judge = discriminator

    def log_real(x: Tensor) -> Tensor:
        with device.autocast():
            return torch.nn.functional.logsigmoid(judge(x).float())

    return value_and_gradient(log_real)
