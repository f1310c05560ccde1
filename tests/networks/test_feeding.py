"""Which units feed a unit, held against the sum that it is."""

import pytest
import torch
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.inspect.feeding import feeding
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network

PIXELS = PixelSpec(3, 32, 24, (0.5,) * 3, (0.25,) * 3, rest=0.5)
CLASSES = ("cat", "dog", "flamingo", "volcano", "daisy", "goldfish")


class ResNetLike(nn.Module):
    """Functional heads, and a rectifier that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 1, stride=2, groups=2)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8, 6)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x) + x[:, :, ::2, ::2])
        return self.fc(torch.flatten(self.pool(x), 1))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.norm = nn.LayerNorm(8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(), nn.Linear(16, 8))
        self.head = nn.Linear(8, 6)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head((x + self.mlp(self.norm(x))).mean(1))


def squeezenet_like():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Conv2d(8, 6, 1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def vgg_like():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 5, 3, 2, 1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        nn.AdaptiveAvgPool2d((8, 6)),
        nn.Flatten(),
        nn.Linear(5 * 8 * 6, 12),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(12, 6),
    )


def network_of(make):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Network("net", make(), PIXELS, CLASSES)


def value(network, neuron, x):
    return float(network.activation(x, network.units([neuron])))


def assert_sums_up(network, text, activation=torch.relu):
    """Hold bias and weighted inputs against the unit's value on an image."""
    found = feeding(network, Neuron.parse(text), count=10_000)
    assert len(found.feeds) == found.inputs
    x = torch.rand((1, *PIXELS.shape), generator=torch.Generator().manual_seed(2))
    module = network.module.get_submodule(found.sum.layer)
    inputs = torch.tensor([value(network, feed.neuron, x) for feed in found.feeds])
    weights = torch.tensor([feed.weight for feed in found.feeds])
    total = float((activation(inputs) * weights).sum() + module.bias[found.sum.index])
    assert total == pytest.approx(value(network, found.sum, x), abs=1e-5)
    assert weights.abs().tolist() == sorted(weights.abs().tolist(), reverse=True)
    return found


def addresses(found):
    return {str(feed.neuron) for feed in found.feeds}


@pytest.mark.parametrize("text", ["6:2", "3:2", "-3:2@4,5", "4:2"])
def test_a_convolution_of_1_x_1_is_fed_at_its_own_place(text):
    found = feeding(network_of(squeezenet_like), Neuron.parse(text))
    place = {"6:2": "@mean", "-3:2@4,5": "@4,5"}.get(text, "")
    assert str(found.sum) == f"3:2{place}"
    assert addresses(found) == {f"0:{i}{place}" for i in range(8)}


def test_the_inputs_of_a_convolution_of_1_x_1_sum_up():
    assert_sums_up(network_of(squeezenet_like), "3:2@4,5")


def test_flattened_planes_are_channels_at_places():
    network = network_of(vgg_like)
    found = assert_sums_up(network, "3:7", activation=lambda x: x)
    channels = {(f.neuron.layer, f.neuron.index) for f in found.feeds}
    assert channels == {("0.2", i) for i in range(5)}
    assert {f.neuron.place for f in found.feeds} >= {(0, 0), (7, 5), None}  # None: the centre
    assert all(fed.layer == "3" for feed in found.feeds for fed in feed.feeds)


def test_an_input_is_named_by_the_classes_that_it_feeds_most():
    network = network_of(vgg_like)
    found = assert_sums_up(network, "6:2")
    assert addresses(found) == {f"3:{i}" for i in range(12)}
    weights = network.module.get_submodule("6").weight
    for feed in found.feeds:
        best = weights[:, feed.neuron.index].topk(3).indices.tolist()
        assert [network.label(unit) for unit in feed.feeds] == [CLASSES[i] for i in best]


def test_a_fully_connected_layer_behind_a_global_mean_is_fed_by_means():
    network = network_of(ResNetLike)
    found = feeding(network, Neuron("fc", 1))
    # The mean is taken of a rectifier that is called for the second time.
    assert addresses(found) == {f"relu#2:{i}@mean" for i in range(8)}
    assert_sums_up(network, "fc:1", activation=lambda x: x)


def test_groups_and_strides_are_minded():
    network = network_of(ResNetLike)
    assert addresses(feeding(network, Neuron("conv2", 6, (3, 2)))) == {
        f"conv1:{i}@6,4" for i in range(4, 8)
    }
    assert_sums_up(network, "conv2:6@3,2")
    with pytest.raises(StudioError, match="are not the units of one layer"):
        feeding(network, Neuron.parse("conv2:6@mean"))  # it sees every other place only


def test_tokens_are_fed_one_by_one_and_in_the_mean():
    network = network_of(Tokens)
    assert addresses(assert_sums_up(network, "mlp.0:3", lambda x: x)) == {
        f"norm:{i}" for i in range(8)
    }
    found = assert_sums_up(network, "mlp.3:3@5", nn.functional.gelu)
    assert addresses(found) == {f"mlp.0:{i}@5" for i in range(16)}
    with pytest.raises(StudioError, match="are not the units of one layer"):
        feeding(network, Neuron("head", 1))  # fed by a sum that no module gives


def test_lenet_is_fed_through_its_rectifiers_and_flattened_planes():
    network = open_network("lenet")
    found = feeding(network, Neuron("fc3", 4))
    assert {feed.neuron.layer for feed in found.feeds} == {"fc2"}
    assert len(found.feeds) == 20
    assert found.inputs == 84
    assert {feed.neuron.layer for feed in feeding(network, Neuron("fc1", 7)).feeds} == {"pool2"}


def test_what_is_no_sum_says_so():
    with pytest.raises(StudioError, match="conv2:3 is not a weighted sum of other units"):
        feeding(open_network("lenet"), Neuron("conv2", 3))
    with pytest.raises(StudioError, match="neurons 0 to 9"):
        feeding(open_network("lenet"), Neuron("fc3", 10))
