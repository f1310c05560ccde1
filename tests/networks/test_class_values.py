"""What is made large for class neurons: against closed forms, however the network ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network


class Map(nn.Module):
    """A class map, whose mean over all places is the output; `end` rectifies it."""

    def __init__(self, end):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 5, 1)
        self.end = end

    def forward(self, x):
        return self.end(self.second(functional.relu(self.first(x)))).mean((2, 3))


class Statement(Map):
    """The rectifier's result is not used: it changes its input."""

    def forward(self, x):
        x = self.second(functional.relu(self.first(x)))
        x.relu_()
        return x.mean((2, 3))


class Fixed(Map):
    """It takes one number of images, and no other."""

    def forward(self, x):
        images = len(x)
        x = self.second(functional.relu(self.first(x))).relu()
        return x.view(images, 5, 64).mean(2)


class Gated(Map):
    """A softmax that is no class probability, and a clamp that is no rectifier."""

    def forward(self, x):
        x = self.second(functional.relu(self.first(x))).mean((2, 3))
        return (x * x.softmax(1)).clamp(-1, 1)


RECTIFIERS = {
    "module": nn.ReLU(),
    "in place": nn.ReLU(inplace=True),
    "functional": functional.relu,
    "torch": torch.relu,
    "method in place": lambda x: x.relu_(),
    "clamp": lambda x: x.clamp(min=0),
}


def network_of(module, side=8):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for part in module.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.reset_parameters()
    return Network("own", module, PixelSpec(3, side, side, (0.5,) * 3, (0.25,) * 3))


def values(network, x, objective, *addresses):
    """Return the values and gradients of neurons of the last layer, one for each image."""
    layer = network.layers[-1].name
    neurons = [Neuron.parse(text.replace("out", layer)) for text in addresses]
    units = network.units(neurons, network.class_value(layer, objective))
    leaf = x.clone().requires_grad_(True)
    found = network.activation(leaf, units)
    (gradient,) = torch.autograd.grad(found.sum(), leaf)
    torch.testing.assert_close(network.all_activations(x, units).diagonal(), found)
    return found.detach(), gradient


def images(count, side=8):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("end", RECTIFIERS)
def test_the_last_rectifier_is_left_out_however_it_is_written(end):
    network, x = network_of(Map(RECTIFIERS[end])), images(2)
    module = network.module
    before = module.second(functional.relu(module.first(network.normalise(x))))
    plain, logits = before.relu().mean((2, 3)), before.mean((2, 3))
    assert not torch.allclose(plain, logits)
    log_p = plain.log_softmax(1)
    expected = {"pre-activation": logits, "log-probability": log_p, "mix": logits + log_p}
    for objective, every in expected.items():
        found, _ = values(network, x, objective, "out:3", "-out:1")
        torch.testing.assert_close(found, torch.stack([every[0, 3], -every[1, 1]]))
    found, _ = values(network, x, "activation", "out:3", "-out:1")
    assert torch.equal(found, torch.stack([plain[0, 3], -plain[1, 1]]))


def test_gradients_are_those_of_a_log_softmax():
    """With logits W x: grad log p_k = W_k - sum_j p_j W_j."""
    linear = nn.Linear(3 * 64, 4)
    network, x = network_of(nn.Sequential(nn.Flatten(), linear)), images(2)
    weight = linear.weight.detach() / 0.25
    p = network.output(x, network.layers[-1].name).softmax(1)
    slope = (weight[[2, 0]] - p @ weight).reshape(x.shape)
    _, gradient = values(network, x, "log-probability", "out:2", "out:0")
    torch.testing.assert_close(gradient, slope)
    _, gradient = values(network, x, "mix", "out:2", "-out:0")
    slope = slope + weight[[2, 0]].reshape(x.shape)
    torch.testing.assert_close(gradient, slope * torch.tensor([1.0, -1]).reshape(2, 1, 1, 1))


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1), lambda x: x.softmax(dim=-1)])
def test_probabilities_are_the_networks_own(end):
    class Ends(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3 * 64, 4)

        def forward(self, x):
            return end(self.linear(x.flatten(1)) / 0.01)

    network, x = network_of(Ends()), images(2)
    logits = network.module.linear(network.normalise(x).flatten(1)) / 0.01
    log_p = logits.log_softmax(1)  # so far below 0 that the softmax itself gives 0
    expected = {"pre-activation": logits, "log-probability": log_p, "mix": logits + log_p}
    worst = int(log_p[0].argmin())
    for objective, every in expected.items():
        found, gradient = values(network, x, objective, f"out:{worst}", "out:1")
        torch.testing.assert_close(found, torch.stack([every[0, worst], every[1, 1]]))
        assert gradient[0].any()


@pytest.mark.parametrize("module", [[], [nn.Sigmoid()]])
def test_a_single_output_has_a_logistic_probability(module):
    network, x = network_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 1), *module)), images(1)
    logit = network.module[1](network.normalise(x).flatten(1))[:, 0]
    found, _ = values(network, x, "log-probability", "out:0")
    torch.testing.assert_close(found, functional.logsigmoid(logit))
    found, _ = values(network, x, "mix", "-out:0")
    torch.testing.assert_close(found, -logit - functional.logsigmoid(logit))


def test_a_network_that_cannot_do_both_at_once_keeps_its_rectifier_in_a_mix():
    for module in (Statement(None), Fixed(None)):
        network, x = network_of(module), images(1)
        inner = network.module
        before = inner.second(functional.relu(inner.first(network.normalise(x))))
        plain = before.relu().mean((2, 3))
        found, _ = values(network, x, "pre-activation", "out:3")
        torch.testing.assert_close(found, before.mean((2, 3))[:, 3])
        found, _ = values(network, x, "mix", "out:3")
        torch.testing.assert_close(found, (plain + plain.log_softmax(1))[:, 3])


def test_what_only_looks_like_an_ending_is_kept():
    network, x = network_of(Gated(None)), images(1)
    plain = network.output(x, network.layers[-1].name)
    found, _ = values(network, x, "pre-activation", "out:3")
    assert torch.equal(found, plain[:, 3])
    # The rectifier of a hidden layer is followed by weights.
    network = network_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 9), nn.ReLU(), nn.Linear(9, 4)))
    plain = network.output(x, network.layers[-1].name)
    assert torch.equal(values(network, x, "pre-activation", "out:3")[0], plain[:, 3])


def test_places_crops_and_hidden_layers():
    module = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.ReLU())
    network, x = network_of(module, 32), images(3, 32)
    before = network.output(x, "2")
    plain = before.relu()
    every = before + plain.log_softmax(1)
    found, _ = values(network, x, "mix", "out:2", "out:1@5,6", "-out:3@mean")
    means = before.mean((2, 3)) + plain.mean((2, 3)).log_softmax(1)
    expected = torch.stack([every[0, 2, 16, 16], every[1, 1, 5, 6], -means[2, 3]])
    torch.testing.assert_close(found, expected)
    crop = network.crop("3")
    assert crop is not None
    neurons = (Neuron("3", 2), Neuron("3", 1))
    units = crop.units(neurons, network.device, network.class_value("3", "mix"))
    found = network.activation(crop.cut(x[:2]), units)
    torch.testing.assert_close(found, torch.stack([every[0, 2, 16, 16], every[1, 1, 16, 16]]))
    assert network.class_value("2", "mix") is None


def test_folded_batch_norms_and_bfloat16():
    """The folded copy has the same ending, and logarithms are taken in float32."""
    module = Map(nn.ReLU())
    module.second = nn.Sequential(nn.Conv2d(8, 5, 1), nn.BatchNorm2d(5))
    network, x = network_of(module), images(2)
    inner = network.module
    before = inner.second(functional.relu(inner.first(network.normalise(x))))
    every = before.mean((2, 3)) + before.relu().mean((2, 3)).log_softmax(1)
    found, _ = values(network, x, "mix", "out:3", "out:1")
    torch.testing.assert_close(found, torch.stack([every[0, 3], every[1, 1]]))
    with torch.autocast("cpu", torch.bfloat16):
        half, _ = values(network, x, "mix", "out:3", "out:1")
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, found, atol=0.03, rtol=0.01)


def test_the_shipped_networks_have_plain_logits():
    network = open_network("lenet")
    value = network.class_value("fc3", "mix")
    assert value is not None and (value.ending.rectifier, value.ending.squashing) == (None, None)
