"""Making lanes, and the changes that stay within one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ldam_studio.engine.machine import Machine
from ldam_studio.engine.state import Lane, Targets
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network, Neuron
from ldam_studio.sampler import average, burn_in, langevin
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings

NOISE_IMAGES = 256
NOISE_QUANTILE = 0.99
UNSETTLING = ("temperature", "step_size", "l2", "discriminator_weight", "clamp", "mode")
"""Settings that change the law of the chain, so that it has to settle again."""


def open_lane(
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    machine: Machine,
    generators: Generators,
) -> Lane:
    """Make a lane with one freshly started chain per neuron."""
    neurons = tuple(neurons)
    settings = settings.for_chains(len(neurons))
    x = draw_starts(network, settings, generators, range(len(neurons)))
    return Lane(
        network=network,
        neurons=neurons,
        settings=settings,
        targets=targets(network, neurons, settings, machine),
        parameters=langevin.Parameters.of(settings, len(neurons), machine.device),
        chains=langevin.State(x),
        average=average.init(x),
        progress=burn_in.init(len(neurons), machine.device),
    )


def draw_starts(
    network: Network, settings: Settings, generators: Generators, chains: range
) -> Tensor:
    """Draw x0 = rest + spread * xi for the chains of these numbers, each from its own source."""
    pixels = network.pixels
    noise = generators.normal("start", (len(chains), *pixels.shape), first=chains.start)
    x = pixels.rest + settings.start_spread * noise
    return x.clamp_(*pixels.bounds) if settings.clamp else x


def targets(
    network: Network, neurons: Sequence[Neuron], settings: Settings, machine: Machine
) -> Targets:
    """Work out indices, receptive field and burn-in thresholds of the chains' neurons.

    Raises
    ------
    StudioError
        If a neuron does not exist, or they are of several layers.
    """
    for neuron in neurons:
        network.check(neuron)
    layers = sorted({neuron.layer for neuron in neurons})
    if len(layers) != 1:
        raise StudioError(
            f"All chains look at one layer, not at {', '.join(layers) or 'none'}; choose neurons "
            "of one layer."
        )
    layer = layers[0]
    indices = torch.tensor([neuron.index for neuron in neurons], device=machine.device)
    field = network.receptive_field(layer)
    channels, height, width = network.pixels.shape
    if field is not None:
        top, left, bottom, right = field
        height, width = bottom - top, right - left
    if settings.threshold == "auto":
        thresholds = noise_thresholds(network, layer, settings)[indices]
    else:
        thresholds = torch.full((len(neurons),), float(settings.threshold), device=machine.device)
    return Targets(
        layer=layer,
        indices=indices,
        groups=torch.unique(indices, return_inverse=True)[1],
        thresholds=thresholds,
        field=field,
        field_size=channels * height * width,
    )


def noise_thresholds(network: Network, layer: str, settings: Settings) -> Tensor:
    """Return what 99 of 100 noise images do not reach, for every neuron of a layer: (neurons,)."""

    def measure() -> Tensor:
        pixels = network.pixels
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((NOISE_IMAGES, *pixels.shape), generator=generator)
        x = pixels.rest + settings.start_spread * noise
        if settings.clamp:
            x = x.clamp_(*pixels.bounds)
        with torch.no_grad():
            values = network.activations(x.to(network.device), layer)
        return values.float().quantile(NOISE_QUANTILE, dim=0)

    key = ("noise thresholds", layer, settings.start_spread, settings.clamp)
    return network.remembered(key, measure)


def change_setting(lane: Lane, name: str, value: Any, machine: Machine, heat: float) -> Lane:
    """Return the lane with one setting changed; `StudioError` if the value will not do."""
    settings = lane.settings.change(name, value).for_chains(len(lane.neurons))
    lane = replace(lane, settings=settings)
    if name in UNSETTLING:
        lane = reheat(lane, machine, heat)
    if name in ("threshold", "clamp", "start_spread"):
        lane = replace(lane, targets=targets(lane.network, lane.neurons, settings, machine))
    return lane


def reheat(lane: Lane, machine: Machine, heat: float) -> Lane:
    """Return the lane with its step's numbers made anew, its chains marked as settling."""
    return replace(
        lane,
        parameters=langevin.Parameters.of(lane.settings, len(lane.neurons), machine.device, heat),
        progress=burn_in.disturb(lane.progress),
    )


def look_at(
    lane: Lane,
    network: Network,
    neurons: Sequence[Neuron],
    machine: Machine,
    generators: Generators,
    heat: float,
) -> Lane:
    """Turn a lane's chains to other neurons: pictures morph, averages and burn-in restart.

    One neuron alone is for all chains. Where there are more neurons than chains, chains are added;
    where the network takes other images, all chains start anew.
    """
    neurons = tuple(neurons)
    if len(neurons) == 1:
        neurons *= len(lane.neurons)
    return resize(replace(lane, network=network), neurons, machine, generators, heat)


def resize(
    lane: Lane,
    neurons: tuple[Neuron, ...],
    machine: Machine,
    generators: Generators,
    heat: float,
) -> Lane:
    """Return the lane with one chain per neuron, keeping the pictures that it has."""
    found = targets(lane.network, neurons, lane.settings, machine)
    settings = lane.settings.for_chains(len(neurons))
    kept = lane.chains.x[: len(neurons)]
    if kept.shape[1:] != lane.network.pixels.shape:
        kept = kept.new_empty((0, *lane.network.pixels.shape))
    new = draw_starts(lane.network, settings, generators, range(len(kept), len(neurons)))
    return begin(
        replace(lane, neurons=neurons, settings=settings, targets=found),
        torch.cat([kept, new]),
        machine,
        heat,
    )


def begin(lane: Lane, x: Tensor, machine: Machine, heat: float) -> Lane:
    """Return the lane with its chains at `x`, nothing averaged and nothing burned in."""
    return replace(
        lane,
        parameters=langevin.Parameters.of(lane.settings, len(x), machine.device, heat),
        chains=langevin.init(x, lane.bounds),
        average=average.init(x),
        progress=burn_in.init(len(x), machine.device),
    )


def activation_of(lane: Lane, machine: Machine) -> langevin.ValueAndGradient:
    """Return the lane's activation and its gradient as functions of its chains' pixels."""

    def activation(x: Tensor) -> Tensor:
        with machine.autocast():
            return lane.network.activation(x, lane.targets.layer, lane.targets.indices).float()

    return langevin.value_and_gradient(activation)


def log_real_of(
    discriminator: Callable[[Tensor], Tensor] | None, machine: Machine
) -> langevin.ValueAndGradient | None:
    """Return log D and its gradient, or None without a discriminator."""
    if discriminator is None:
        return None
    judge = discriminator

    def log_real(x: Tensor) -> Tensor:
        with machine.autocast():
            return torch.nn.functional.logsigmoid(judge(x).float())

    return langevin.value_and_gradient(log_real)
