"""A first-layer filter is the neuron's gradient with respect to pixels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ldam_studio.networks.inspect.filters import filter_cosine, first_layer_filter
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network

COLOUR = PixelSpec(3, 12, 12, (0.4, 0.5, 0.6), (0.2, 0.25, 0.5), rest=0.5)
GREY = PixelSpec(1, 8, 8, (0.1,), (0.3,))


def _network(pixels, *modules):
    torch.manual_seed(3)
    return Network("made up", nn.Sequential(*modules), pixels)


def _gradient(network, neuron):
    """Return the neuron's gradient (C, H, W) by automatic differentiation, anywhere."""
    x = torch.rand(1, *network.pixels.shape, requires_grad=True)
    value = network.activation(x, network.units([neuron]))
    return torch.autograd.grad(value.sum(), x)[0][0]


@pytest.mark.parametrize(
    ("network", "layer", "neurons"),
    [
        (lambda: open_network("lenet"), "conv1", range(6)),
        (lambda: _network(COLOUR, nn.Conv2d(3, 4, 5, padding=2), nn.ReLU()), "0", range(4)),
        (lambda: _network(COLOUR, nn.Conv2d(3, 4, 3, stride=2)), "0", range(4)),
        (lambda: _network(COLOUR, nn.Conv2d(3, 2, (3, 5), dilation=(2, 1))), "0", range(2)),
        (lambda: _network(GREY, nn.Flatten(), nn.Linear(64, 3)), "1", range(3)),
        (lambda: _network(COLOUR, nn.ZeroPad2d(2), nn.Conv2d(3, 4, 5)), "1", range(4)),
        (lambda: _network(COLOUR, nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3, 2)), "1", range(4)),
    ],
    ids=["lenet", "colour", "strided", "dilated", "fully connected", "padded", "reflected"],
)
def test_it_is_the_gradient_inside_the_field(network, layer, neurons):
    network = network()
    for index in neurons:
        neuron = Neuron(layer, index)
        gradient = _gradient(network, neuron)
        top, left, bottom, right = network.receptive_field(layer) or (0, 0, *gradient.shape[1:])
        found = first_layer_filter(network, neuron)
        torch.testing.assert_close(found, gradient[:, top:bottom, left:right])
        assert filter_cosine(network, neuron, network.pixels.rest + gradient) == pytest.approx(1)
        assert filter_cosine(network, neuron, network.pixels.rest - gradient) == pytest.approx(-1)


def test_where_pixels_are_changed_first_there_is_no_filter():
    class Doubled(nn.Sequential):
        def forward(self, x):
            return super().forward(2 * x)

    network = Network("doubled", Doubled(nn.Conv2d(3, 4, 3)), COLOUR)
    assert first_layer_filter(network, Neuron("0", 1)) is None


def test_pixels_outside_the_field_do_not_count():
    network = open_network("lenet")
    neuron = Neuron("conv1", 2)
    image = _gradient(network, neuron)
    image[:, 0] = 100.0
    assert filter_cosine(network, neuron, image) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("layer", ["pool1", "relu1", "conv2", "fc1", "fc3"])
def test_later_layers_have_none(layer):
    network = open_network("lenet")
    assert first_layer_filter(network, Neuron(layer, 0)) is None
    assert filter_cosine(network, Neuron(layer, 0), torch.rand(1, 28, 28)) is None


def test_a_first_layer_that_is_not_linear_in_the_pixels_has_none():
    network = _network(COLOUR, nn.Sigmoid(), nn.Conv2d(3, 4, 3))
    assert first_layer_filter(network, Neuron("0", 0)) is None
    assert first_layer_filter(network, Neuron("1", 0)) is None


def test_a_neuron_to_be_made_small_at_a_place_of_its_own():
    network = open_network("lenet")
    usual = first_layer_filter(network, Neuron("conv1", 2))
    neuron = Neuron("conv1", 2, place=(9, 20), sign=-1)
    torch.testing.assert_close(first_layer_filter(network, neuron), -usual)
    image = torch.zeros(1, 28, 28)
    image[:, 7:12, 18:23] = -usual
    assert filter_cosine(network, neuron, image) == pytest.approx(1)


def test_where_the_field_is_cut_off_or_all_there_is_no_cosine():
    network = open_network("lenet")
    image = torch.rand(1, 28, 28)
    assert filter_cosine(network, Neuron("conv1", 2, place=(0, 0)), image) is None
    assert first_layer_filter(network, Neuron("conv1", 2, place="mean")) is None


def test_a_network_without_layers_inside_has_none():
    network = Network("bare", nn.Flatten(), GREY)
    for layer in network.layers:
        assert first_layer_filter(network, Neuron(layer.name, 0)) is None


def test_grouped_convolutions_are_left_alone():
    network = _network(COLOUR, nn.Conv2d(3, 3, 3, groups=3))
    assert first_layer_filter(network, Neuron("0", 0)) is None


def test_an_average_at_rest_has_no_direction():
    network = open_network("lenet")
    assert filter_cosine(network, Neuron("conv1", 0), torch.zeros(1, 28, 28)) is None


@pytest.mark.parametrize("place", [None, (2, 9)])
def test_an_average_of_another_resolution_is_compared_in_its_own_field(place):
    network = _network(COLOUR, nn.Conv2d(3, 4, 5, padding=2), nn.ReLU())
    large, neuron = network.at_side(30), Neuron("0", 1, place)
    (seen,) = large.seen_from(network, [neuron])
    image = large.pixels.rest + _gradient(large, seen)
    assert filter_cosine(network, neuron, image) == pytest.approx(1)
