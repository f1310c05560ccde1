"""Layers, neurons and receptive fields of a network."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.layers import output_at
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


def test_every_layer_of_lenet_is_listed_in_order(lenet):
    assert [(layer.name, layer.kind, layer.neurons) for layer in lenet.layers] == [
        ("conv1", "Conv2d", 6),
        ("pool1", "MaxPool2d", 6),
        ("relu1", "ReLU", 6),
        ("conv2", "Conv2d", 16),
        ("pool2", "MaxPool2d", 16),
        ("relu2", "ReLU", 16),
        ("flatten", "Flatten", 400),
        ("fc1", "Linear", 120),
        ("relu3", "ReLU", 120),
        ("fc2", "Linear", 84),
        ("relu4", "ReLU", 84),
        ("fc3", "Linear", 10),
    ]


def test_the_forward_pass_stops_at_the_layer(lenet):
    reached = []
    handle = lenet.module.fc2.register_forward_hook(lambda *_: reached.append(1))
    x = lenet.normalise(torch.rand(2, 1, 28, 28))
    output = output_at(lenet.module, lenet.layer("conv2"), x)
    handle.remove()
    torch.testing.assert_close(output, nn.Sequential(*list(lenet.module)[:4])(x))
    assert not reached


def test_threads_that_share_a_module_stop_at_their_own_layers(lenet):
    x, fc3 = lenet.normalise(torch.rand(2, 1, 28, 28)), lenet.layer("fc3")
    plain = output_at(lenet.module, fc3, x)
    with ThreadPoolExecutor(1) as other:

        def in_the_meantime(*_):
            assert torch.equal(other.submit(output_at, lenet.module, fc3, x).result(), plain)

        # While this thread is to stop at conv2, the other one runs through it.
        handle = lenet.module.conv1.register_forward_pre_hook(
            lambda *_: handle.remove() or in_the_meantime()
        )
        assert output_at(lenet.module, lenet.layer("conv2"), x).shape[1] == 16


@pytest.mark.parametrize("layer", ["conv1", "fc1"])
def test_no_hook_stays_behind_even_when_the_forward_pass_fails(lenet, layer):
    with pytest.raises(RuntimeError):
        output_at(lenet.module, lenet.layer(layer), torch.zeros(1, 3, 5, 5))
    assert not any(module._forward_hooks for module in lenet.module.modules())


def test_a_channel_stands_for_its_centre_unit_before_the_rectifier(lenet):
    x = torch.rand(2, 1, 28, 28)
    units = lenet.activation(x, lenet.units([Neuron("conv1", 4), Neuron("conv1", 1)]))
    whole = lenet.module.conv1(lenet.normalise(x))
    torch.testing.assert_close(units, torch.stack([whole[0, 4, 14, 14], whole[1, 1, 14, 14]]))


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ("conv1", (12, 12, 17, 17)),
        ("pool1", (12, 12, 18, 18)),
        ("conv2", (8, 8, 22, 22)),
        ("fc1", None),
        ("fc3", None),
    ],
)
def test_receptive_fields_of_lenet(lenet, layer, field):
    assert lenet.receptive_field(layer) == field


@given(kernel=st.sampled_from([1, 3, 5]), stride=st.integers(1, 2), dilation=st.integers(1, 2))
def test_receptive_fields_follow_kernel_stride_and_dilation(kernel, stride, dilation):
    first = nn.Conv2d(2, 3, kernel, stride=stride)
    second = nn.Conv2d(3, 2, 3, dilation=dilation)
    pixels = PixelSpec(2, 24, 20, mean=(0.0, 0.0), std=(1.0, 1.0))
    network = Network("net", nn.Sequential(first, nn.ReLU(), second), pixels)
    top, left, bottom, right = network.receptive_field("2")
    size = kernel + stride * 2 * dilation
    assert (bottom - top, right - left) == (size, size)


@pytest.mark.parametrize(
    "text", ["fc3", "fc3:", ":3", "fc3:x", "fc3:-1", "fc3:3-", "fc3:1-2-3", ""]
)
def test_what_is_no_neuron_is_one_sentence(text):
    with pytest.raises(StudioError, match="is not a neuron"):
        parse_neurons(text)


def test_neurons_and_ranges_are_read():
    assert parse_neurons("fc3:4") == [Neuron("fc3", 4)]
    assert parse_neurons("layer1.0.conv:2-4") == [Neuron("layer1.0.conv", i) for i in (2, 3, 4)]
    with pytest.raises(StudioError, match="is reversed"):
        parse_neurons("fc3:4-2")


def test_unknown_layers_and_neurons_are_named(lenet):
    with pytest.raises(StudioError, match="no layer 'fc9'; it has conv1"):
        lenet.check(Neuron("fc9", 0))
    with pytest.raises(StudioError, match="neurons 0 to 9, not 10"):
        lenet.check(Neuron("fc3", 10))


def test_class_neurons_have_labels_and_others_their_address(lenet):
    assert lenet.label(Neuron("fc3", 4)) == "4"
    assert lenet.label(Neuron("fc1", 4)) == "fc1:4"
