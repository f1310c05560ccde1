"""Networks of every kind and many shapes: their layers, their neurons, and crops of them."""

import copy
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.objective import value_and_gradient
from small_networks import KINDS, Shape, build

PIXELS = PixelSpec(3, 24, 20, (0.5, 0.4, 0.3), (0.25,) * 3, rest=0.5)
SHAPES = st.builds(
    Shape,
    channels=st.sampled_from([2, 4, 6]),
    kernel=st.sampled_from([1, 3, 4, 5]),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 3),
)
each_kind = pytest.mark.parametrize("kind", list(KINDS))


def images(count, seed=0):
    return torch.rand((count, *PIXELS.shape), generator=torch.Generator().manual_seed(seed))


def opened(kind, shape):
    """Return the network, and its module as it was before it was opened."""
    module = build(kind, shape)
    before = copy.deepcopy(module).eval()
    return Network(kind, module, PIXELS), before


def first_tensor(output):
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, tuple):
        output = next((o for o in output if isinstance(o, torch.Tensor)), None)
    return output


def hooked(module, network, x):
    """Return, with hooks made by hand, what each module gave at each of its calls."""
    seen, calls = {}, Counter()

    def note(name):
        def hook(_module, _inputs, output):
            calls[name] += 1
            # A copy: what comes behind may change it in place.
            tensor = first_tensor(output)
            if tensor is not None:
                number = f"#{calls[name]}" if calls[name] > 1 else ""
                seen[f"{name}{number}"] = tensor.clone()

        return hook

    handles = [
        part.register_forward_hook(note(name)) for name, part in module.named_modules() if name
    ]
    seen_whole = first_tensor(module(network.normalise(x)))
    for handle in handles:
        handle.remove()
    return seen, seen_whole


@each_kind
@given(shape=SHAPES)
@settings(max_examples=3)
def test_every_module_that_gives_a_tensor_is_a_layer(kind, shape):
    network, module = opened(kind, shape)
    seen, whole = hooked(module, network, images(1))
    listed = {layer.name: layer for layer in network.layers}
    names = [layer.name for layer in network.layers if layer.path]  # all but what it returns
    assert names == list(seen)
    for name in names:
        layer = listed[name]
        assert layer.shape == tuple(seen[name].movedim(layer.batch, 0).shape[1:])
        assert layer.kind == type(module.get_submodule(layer.path)).__name__
        assert layer.neurons == layer.shape[layer.axis]
    assert network.layers[-1].shape == tuple(whole.shape[1:])


@each_kind
@given(shape=SHAPES, index=st.integers(0, 1), sign=st.sampled_from([1, -1]))
@settings(max_examples=3)
def test_activation_and_gradient_are_those_of_a_hook_made_by_hand(kind, shape, index, sign):
    network, module = opened(kind, shape)
    for layer in network.layers:
        x = images(2)
        neuron = Neuron(layer.name, index, sign=sign)
        units = network.units([neuron, neuron])
        value, gradient = value_and_gradient(lambda y, u=units: network.activation(y, u))(x)
        leaf = x.clone().requires_grad_(True)
        seen, whole = hooked(module, network, leaf)
        output = seen.get(layer.name, whole).movedim(layer.batch, 0)
        expected = sign * centre(output, layer)[:, index]
        torch.testing.assert_close(value, expected.detach(), rtol=1e-4, atol=1e-5)
        (slope,) = torch.autograd.grad(expected.sum(), leaf)
        torch.testing.assert_close(gradient, slope, rtol=1e-3, atol=1e-5)


def centre(output, layer):
    """Return (n, neurons): of planes the unit in the middle, of tokens the mean."""
    if output.ndim == 2:
        return output
    if output.ndim == 3:
        return output.mean(1)
    assert layer.axis == 0
    return output[:, :, output.shape[2] // 2, output.shape[3] // 2]


@each_kind
@given(shape=SHAPES, index=st.integers(0, 1), down=st.floats(0, 0.99), right=st.floats(0, 0.99))
@settings(max_examples=3)
def test_a_crop_changes_neither_activation_nor_gradient(kind, shape, index, down, right):
    network, _ = opened(kind, shape)
    for layer in network.layers:
        if len(layer.places) != 2:
            assert network.crop(layer.name) is None
            continue
        height, width = layer.places
        neuron = Neuron(layer.name, index, (int(down * height), int(right * width)))
        crop = network.crop(layer.name, neuron.place)
        if crop is None:
            continue
        x = images(2, seed=3)
        whole, inside = network.units([neuron] * 2), crop.units((neuron,) * 2, network.device)
        value, gradient = value_and_gradient(lambda y, u=whole: network.activation(y, u))(x)
        part, slope = value_and_gradient(lambda y, u=inside: network.activation(y, u))(crop.cut(x))
        spread = torch.zeros_like(x)
        crop.cut(spread).copy_(slope)
        torch.testing.assert_close(part, value, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(spread, gradient, rtol=1e-4, atol=1e-6)


def test_crops_are_found_where_there_is_something_to_save():
    for kind in ("plain", "residual", "grouped", "dilated", "in place", "shared module"):
        network, _ = opened(kind, Shape(padding=1))
        assert network.crop(network.layers[0].name) is not None, kind
    network, _ = opened("squeeze and excitation", Shape())
    assert network.crop("0") is not None
    assert network.crop("2") is None  # the global mean is in it


@each_kind
def test_several_chains_may_have_several_neurons(kind):
    network, _ = opened(kind, Shape())
    for layer in network.layers:
        neurons = [Neuron(layer.name, i % layer.neurons) for i in range(3)]
        together = network.activation(images(3), network.units(neurons))
        alone = [
            network.activation(images(3)[i : i + 1], network.units([neurons[i]])) for i in range(3)
        ]
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "behind", [nn.ReLU(True), nn.Hardtanh(0.0, 0.1, True), nn.Dropout(0.5, True)]
)
def test_a_convolution_before_an_operation_in_place_gives_its_own_value(behind):
    conv = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        conv.weight.fill_(0.1)
        conv.bias.fill_(-50.0)  # a rectifier gives 0 with no gradient
    own = copy.deepcopy(conv)
    network = Network("net", nn.Sequential(conv, behind, nn.Flatten(), nn.Linear(1584, 2)), PIXELS)
    x = images(2)
    units = network.units([Neuron("0", 1)] * 2)
    value, gradient = value_and_gradient(lambda y: network.activation(y, units))(x)
    torch.testing.assert_close(value, own(network.normalise(x))[:, 1, 11, 9].detach())
    assert float(value.max()) < -40
    assert gradient[:, :, 11:14, 9:12] == pytest.approx(0.4)
    assert int((gradient != 0).sum()) == 2 * 3 * 9


class Biased(nn.Module):
    """Works out what it adds from a table of places, as windowed transformers do."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.table = nn.Linear(2, 4)
        self.register_buffer("places", torch.rand(1, 6, 2))

    def forward(self, x):
        return self.conv(x).mean((2, 3)) + self.table(self.places).mean(1)


def test_a_module_that_does_not_see_the_image_is_no_layer():
    network = Network("biased", Biased(), PIXELS)
    assert [layer.name for layer in network.layers] == ["conv", "output"]


def test_a_network_that_returns_one_number_an_image_has_its_last_layer():
    class Score(nn.Sequential):
        def forward(self, x):
            return super().forward(x)[:, 0]

    network = Network("score", Score(nn.Flatten(), nn.Linear(1440, 1)), PIXELS)
    assert [(layer.name, layer.neurons) for layer in network.layers] == [("0", 1440), ("1", 1)]


def test_of_a_module_that_is_called_several_times_each_call_is_looked_at():
    network, module = opened("shared module", Shape())
    names = [layer.name for layer in network.layers]
    assert names == ["first", "shared", "shared#2", "shared#3", "head"]
    once = module.shared(module.first(network.normalise(images(2))))
    torch.testing.assert_close(network.output(images(2), "shared"), once)
    twice = module.shared(once.relu())
    torch.testing.assert_close(network.output(images(2), "shared#2"), twice)
    torch.testing.assert_close(network.output(images(2), "shared#3"), module.shared(twice.relu()))
