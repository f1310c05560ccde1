"""Open one model with random weights and take three steps on a class and on an inner neuron."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.anatomy.layers import OUTPUT, Layer
from ldam_studio.networks.anatomy.results import tensor_at
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.settings import Settings

STEPS = 3
INSIDE = 1 / 3  # of the way through the layers, where convolutions see part of the image


def measure(name: str) -> dict[str, Any]:
    """Return a row of the table."""
    torch.manual_seed(0)
    begun = time.perf_counter()
    full = name if ":" in name else f"torchvision:{name}"
    network = open_network(full, options=Options(untrained=True))
    opened = time.perf_counter() - begun
    wake(network.module)
    check_shapes(network)
    inner = inner_neuron(network)
    return {
        "model": name.removeprefix("timm:"),
        "parameters": sum(p.numel() for p in network.module.parameters()),
        "input": list(network.pixels.shape),
        "layers": len(network.layers),
        "neurons": sum(layer.neurons for layer in network.layers),
        "open_s": round(opened, 2),
        "time": "processor",
        "class": take_steps(network, Neuron(network.class_layer.name, liveliest(network))),
        "inner": take_steps(network, inner),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


@torch.no_grad()
def wake(module: nn.Module) -> None:
    """Draw the matrices that start at zero (heads of transformers), which no gradient passes."""
    for parameter in module.parameters():
        if parameter.ndim > 1 and not bool(parameter.any()):
            parameter.normal_(std=0.02)


@torch.no_grad()
def check_shapes(network: Network) -> None:
    """Raise where a layer's output at two images is not that of one image, twice."""
    wrong = []

    def hook(layer: Layer) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            calls[layer.name] += 1
            tensor = tensor_at(output, layer.part)
            if tensor is None or calls[layer.name] != layer.call:
                return
            met.add(layer.name)
            if layer.arranged(tensor, 2).shape != (2, *layer.shape):
                wrong.append(f"{layer.name} {tuple(tensor.shape)}")

        return hook

    met: set[str] = set()
    calls: Counter[str] = Counter()
    layers = [layer for layer in network.layers if layer.name != OUTPUT]
    handles = [
        network.module.get_submodule(layer.path).register_forward_hook(hook(layer))
        for layer in layers
    ]
    network.module(network.normalise(torch.zeros(2, *network.pixels.shape)))
    for handle in handles:
        handle.remove()
    if wrong or len(met) != len(layers):
        raise RuntimeError(f"layers that are not one output for each image: {wrong[:3]}")


@torch.no_grad()
def liveliest(network: Network) -> int:
    """Return the class with the largest output; behind a rectifier most may be dead."""
    classes = network.class_layer
    output = network.output(torch.full((1, *network.pixels.shape), 0.5), classes.name)
    return int(output.flatten(1).argmax()) % classes.neurons


def inner_neuron(network: Network) -> Neuron:
    """Return a unit at a place: a channel's centre, or a feature of the token in the middle.

    It is one of a convolution or a linear map, because a rectifier's may be dead at the start, and
    the first from the middle that is not the same for two images, because what it sees may be dead.
    """
    placed = [
        layer
        for layer in network.layers
        if max(layer.places, default=1) > 1 and has_matrix(network, layer)
    ]
    layer: Layer = placed[round(INSIDE * (len(placed) - 1))]
    centre = tuple(size // 2 for size in layer.places)
    with torch.no_grad():
        images = torch.rand(2, *network.pixels.shape, generator=torch.Generator().manual_seed(0))
        output = network.output(images, layer.name).movedim(1 + layer.axis, 1)
    at_centre = output[(slice(None), slice(None), *centre)]
    alive = (at_centre[0] != at_centre[1]).roll(-(layer.neurons // 2))
    index = (layer.neurons // 2 + int(alive.int().argmax())) % layer.neurons
    return Neuron(layer.name, index, centre if len(centre) == 1 else None)


def has_matrix(network: Network, layer: Layer) -> bool:
    """Whether the layer's module multiplies by a matrix of its own."""
    weight = getattr(network.module.get_submodule(layer.path), "weight", None)
    return isinstance(weight, torch.Tensor) and weight.ndim > 1


def take_steps(network: Network, neuron: Neuron) -> dict[str, Any]:
    """Take steps with one chain; returns the median step's CPU time and what the neuron sees.

    The activation that counts as burned in is given, since measuring it on noise is not the step.
    """
    begun = time.perf_counter()
    state = open_session(
        SessionSpec(network, (neuron,), Settings(threshold=0.0), device=choose("cpu", "float32", 1))
    )
    ready = time.perf_counter() - begun
    times, rms = [], 0.0
    for _ in range(STEPS):
        begun = time.process_time()
        state, info = advance(state)
        times.append(time.process_time() - begun)
        rms = float(info.lanes[0].gradient_rms)
    moved = state.lane.chains.x
    if moved.shape[1:] != network.pixels.shape or not bool(moved.isfinite().all()):
        raise RuntimeError(f"{neuron}: the chain is not an image any more")
    if not rms > 0:
        raise RuntimeError(f"{neuron}: no gradient reaches the pixels")
    crop = state.lane.targets.crop
    field = network.receptive_field(neuron.layer, neuron.place)
    return {
        "neuron": str(neuron),
        "ready_s": round(ready, 2),
        "ms": round(1000 * statistics.median(times), 1),
        "field": None if field is None else [field[2] - field[0], field[3] - field[1]],
        "crop": None if crop is None else [*crop.cut(moved).shape[2:]],
    }
