"""Networks that people write and download, opened as a person opens them, beside plain torch."""

from __future__ import annotations

import importlib
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.cli import build_parser
from ldam_studio.commands.shared.flags import network_of
from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from thinned import one_in

FOLDER = Path(__file__).parent / "cases"
KINDS = (
    *("convolutional", "geometry", "transformers", "signals", "generative"),
    *("outputs", "inputs", "behaviour", "composition", "batches"),
)
LAYERS = 5  # of each network, and two neurons of each: one for each image
TRIES = 8

Factory = Callable[[], nn.Module]

# Of what a person's code is warned, it does work.
pytestmark = pytest.mark.filterwarnings("ignore")


def read(kind: str) -> ModuleType:
    """Import a file of this folder, where they import each other by their names."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(kind)
    finally:
        sys.path.remove(str(FOLDER))


CASES = [
    (kind, factory)
    for kind in KINDS
    for factory in vars(read(kind)).values()
    if hasattr(factory, "neurons")
]
CHECKPOINTS = read("checkpoints")
read("trainers")  # adds to them


@pytest.mark.parametrize(("kind", "factory"), one_in(3, CASES, lambda case: case[1].__name__))
def test_a_persons_network_is_what_plain_torch_says(kind: str, factory: Factory) -> None:
    network = opened(f"{FOLDER}/{kind}.py:{factory.__name__}")
    compare(network, without_wrappers(factory()), factory)


@pytest.mark.parametrize("layout", CHECKPOINTS.LAYOUTS, ids=lambda layout: layout.__name__)
def test_saved_weights_are_what_plain_torch_loads(layout: Any, tmp_path: Path) -> None:
    trained = CHECKPOINTS.net()
    with torch.no_grad():
        for value in trained.state_dict().values():
            # What half precision keeps, too.
            value.copy_((1.5 * value).half())
    given = layout(trained.state_dict(), tmp_path)
    network = opened(f"{FOLDER}/checkpoints.py:net", "--weights", str(tmp_path / given))
    compare(network, trained, CHECKPOINTS.net)


def opened(name: str, *flags: str) -> Network:
    """Open a network by the command line."""
    return network_of(build_parser().parse_args(["info", "--network", name, *flags]))


def without_wrappers(module: nn.Module) -> nn.Module:
    """Return what was compiled itself, by whose names layers are called."""
    for name, child in list(module.named_children()):
        if (inner := without_wrappers(child)) is not child:
            setattr(module, name, inner)
    return getattr(module, "_orig_mod", module)


def compare(network: Network, module: nn.Module, factory: Factory) -> None:
    """Compare ten neurons' values and gradients with plain torch, then take two steps."""
    takes, neurons = factory.pixels, factory.neurons
    module.eval().requires_grad_(False)
    if next(module.parameters()).dtype in (torch.float16, torch.bfloat16):
        module.float()
    here = {layer.name: layer for layer in network.layers}
    assert {name: here[name].neurons for name in neurons if name in here} == neurons
    low, high = takes.get("minimum", 0.0), takes.get("maximum", 1.0)
    mean, std = (torch.tensor(takes[key])[:, None, None] for key in ("mean", "std"))
    drawing = torch.Generator().manual_seed(3)
    images = torch.rand(2, *network.pixels.shape, generator=drawing)
    inputs = (low + (high - low) * images.requires_grad_() - mean) / std
    # Each image is run alone, which is what a neuron's value for it means.
    outputs = [run_plainly(module, image[None]) for image in inputs]
    for layer in spread(network, tuple(neurons)):
        chosen, expected, slope = lively(outputs, images, layer)
        state = open_session(SessionSpec(network, chosen, device=choose("cpu")))
        value, gradient = activation_of(state.lane, state.device)(images.detach())
        said = f"{', '.join(map(str, chosen))}: {{}}".format
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5, msg=said)
        scale = float(slope.abs().max())
        torch.testing.assert_close(gradient, slope, rtol=1e-3, atol=1e-4 * scale, msg=said)
    state = open_session(SessionSpec(network, network.default_neurons(3), device=choose("cpu")))
    before = state.lane.chains.x.clone()
    for _ in range(2):
        state, _ = advance(state)
    assert state.step == 2
    assert state.lane.chains.x.isfinite().all()
    assert not torch.equal(state.lane.chains.x, before)


def spread(network: Network, first: tuple[str, ...]) -> list[Layer]:
    """Choose layers: three of those that are named first, then others all over the network."""
    others = [layer.name for layer in network.layers if layer.name not in first[:3]]
    names = [*first[:3], *random.Random(1).sample(others, len(others))]
    return [network.layer(names[number % len(names)]) for number in range(LAYERS)]


def lively(
    outputs: list[dict[str, Tensor]], images: Tensor, layer: Layer
) -> tuple[tuple[Neuron, ...], Tensor, Tensor]:
    """Choose a neuron for each image, at one place, with gradients if there are some among a few.

    Returns them with their values and the gradients with respect to the images, by plain torch.
    """
    drawn = random.Random(layer.name)
    output = torch.stack([of_one_image(layer, each[layer.name]) for each in outputs])
    for _ in range(TRIES):
        place = tuple(drawn.randrange(size) for size in layer.places)
        # A volume's units have no address; the mean over them has.
        where = None if not place else place if len(place) < 3 else "mean"
        chosen = tuple(Neuron(layer.name, drawn.randrange(layer.neurons), where) for _ in images)
        values = [value_of(output, layer, neuron)[image] for image, neuron in enumerate(chosen)]
        (slope,) = torch.autograd.grad(sum(values), images, retain_graph=True)
        if slope.flatten(1).any(1).all():
            break
    return chosen, torch.stack(values).detach().float(), slope


def value_of(output: Tensor, layer: Layer, neuron: Neuron) -> Tensor:
    """Return a neuron's value at each image in what its layer gave."""
    channel = output.select(1 + layer.axis, neuron.index)
    if isinstance(neuron.place, tuple):
        return channel[(slice(None), *neuron.place)]
    return channel.flatten(1).mean(1) if channel.ndim > 1 else channel


def of_one_image(layer: Layer, output: Tensor) -> Tensor:
    """Return what a layer gave for an image that was run alone, in the layer's shape."""
    if output.ndim > len(layer.shape):
        output = output.select(layer.batch, 0)
    output = output.reshape(1) if output.ndim == 0 else output
    assert output.shape == layer.shape
    return output


def run_plainly(module: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Return what a module gives, as `output`, and what its sub-modules give, by their names.

    The second call of one is `name#2`, further tensors in what it returns are `name[key]`.
    """
    outputs: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()

    def keep(name: str, output: Any) -> None:
        for number, (place, tensor) in enumerate(tensors(output)):
            # A copy, because the next module may change it in place.
            outputs.setdefault(name + place, tensor.clone())
            if not number:
                outputs.setdefault(name, tensor.clone())

    def noting(name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            calls[name] += 1
            keep(name if calls[name] == 1 else f"{name}#{calls[name]}", output)

        return note

    handles = [
        nn.Module.register_forward_hook(part, noting(name))
        for name, part in module.named_modules()
        if name
    ]
    try:
        keep("output", module(inputs))
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def tensors(value: Any, place: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in what a module returned, with the keys that lead to them."""
    if isinstance(value, Tensor):
        yield place, value
        return
    if isinstance(value, Mapping):
        inside = value
    elif hasattr(value, "_asdict"):
        inside = value._asdict()
    elif isinstance(value, list | tuple):
        inside = dict(enumerate(value))
    elif is_dataclass(value):
        inside = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        names = getattr(value, "__slots__", None) or getattr(value, "__dict__", ())
        inside = {name: getattr(value, name) for name in names}
    for key, part in inside.items():
        yield from tensors(part, f"{place}[{key}]")
