"""Units at their places, what they see, and crops that change nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.objective import value_and_gradient

PIXELS = PixelSpec(3, 64, 56, (0.5,) * 3, (0.25,) * 3, rest=0.5)


def network_of(*modules, pixels=PIXELS):
    return Network("net", nn.Sequential(*modules), pixels)


class Residual(nn.Module):
    def __init__(self, channels, stride=1, groups=1):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, stride, 1, groups=groups)
        self.norm = nn.BatchNorm2d(channels)
        self.b = nn.Conv2d(channels, channels, 3, 1, 1)
        self.skip = nn.Conv2d(channels, channels, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu_(self.b(torch.relu(self.norm(self.a(x)))) + self.skip(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean((2, 3))))[:, :, None, None]


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.block(tokens)[:, 0])


def seeded(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def compare(network, neuron):
    """Return the relative error of the crop's activation and gradient on new images."""
    crop = network.crop(neuron.layer, neuron.place)
    assert crop is not None
    x = torch.rand((3, *network.pixels.shape), generator=torch.Generator().manual_seed(9))
    whole, inside = network.units([neuron] * 3), crop.units((neuron,) * 3, network.device)
    value, gradient = value_and_gradient(lambda y: network.activation(y, whole))(x)
    part_value, part = value_and_gradient(lambda y: network.activation(y, inside))(crop.cut(x))
    spread = torch.zeros_like(x)
    crop.cut(spread).copy_(part)
    error = (value - part_value).abs().max() / value.abs().max()
    return float(max(error, (gradient - spread).abs().max() / gradient.abs().max()))


@given(
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    pool=st.sampled_from([None, 2]),
)
@settings(max_examples=25)
def test_crops_of_plain_networks_change_nothing(kernel, stride, padding, dilation, pool):
    def make():
        layers = [nn.Conv2d(3, 4, kernel, stride, padding), nn.ReLU(inplace=True)]
        layers += [nn.MaxPool2d(pool)] if pool else []
        return network_of(*layers, nn.Conv2d(4, 5, 3, padding=1, dilation=dilation))

    network = seeded(make)
    layer = network.layers[-1].name
    if network.crop(layer) is not None:
        assert compare(network, Neuron(layer, 2)) <= 1e-4


@pytest.mark.parametrize(
    "make",
    [
        lambda: network_of(nn.Conv2d(3, 4, 7, 2, 3), Residual(4), Residual(4, stride=2)),
        lambda: network_of(nn.Conv2d(3, 4, 3, 1, 1), Residual(4, groups=4), Residual(4)),
        lambda: network_of(nn.Conv2d(3, 4, 3, 2), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, 2)),
    ],
    ids=["residual", "grouped", "strided without padding"],
)
def test_crops_of_other_networks_are_found_and_change_nothing(make):
    network = seeded(make)
    assert compare(network, Neuron(network.layers[-1].name, 1)) <= 1e-5


def test_a_unit_at_the_edge_sees_the_padding_as_on_the_whole_image():
    network = seeded(
        lambda: network_of(nn.Conv2d(3, 4, 5, padding=2), nn.Conv2d(4, 4, 3, padding=1))
    )
    for place in ((0, 0), (63, 55), (0, 30)):
        assert compare(network, Neuron("1", 2, place)) <= 1e-5
    assert network.receptive_field("1", (0, 0)) == (0, 0, 4, 4)
    assert network.receptive_field("1", (63, 55)) == (60, 52, 64, 56)


@pytest.mark.parametrize(
    "make",
    [
        lambda: network_of(nn.Conv2d(3, 4, 3, padding=1), SqueezeExcite(4)),
        lambda: network_of(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        lambda: Network("tokens", Tokens(), PIXELS),
    ],
    ids=["squeeze and excitation", "global pooling", "transformer"],
)
def test_where_everything_is_seen_the_whole_image_is_run(make):
    network = seeded(make)
    assert network.crop(network.layers[-1].name) is None


def test_tokens_have_places_and_their_mean_by_default():
    network = seeded(lambda: Network("tokens", Tokens(), PIXELS))
    block = network.layer("block")
    assert (block.neurons, block.places) == (8, (56,))
    x = torch.rand((1, *PIXELS.shape))
    output = network.output(x, "block")[0]
    read = {
        text: float(network.activation(x, network.units([Neuron.parse(text)])))
        for text in ("block:3", "block:3@mean", "block:3@7", "-block:3@7")
    }
    assert read["block:3"] == read["block:3@mean"] == pytest.approx(float(output[:, 3].mean()))
    assert read["block:3@7"] == pytest.approx(float(output[7, 3]))
    assert read["-block:3@7"] == -read["block:3@7"]


def test_units_of_several_places_are_read_together():
    network = seeded(lambda: network_of(nn.Conv2d(3, 4, 3)))
    neurons = [Neuron.parse(t) for t in ("0:1@5,6", "0:2@mean", "-0:3", "0:0@61,53")]
    units = network.units(neurons)
    x = torch.rand((4, *PIXELS.shape))
    output = network.output(x, "0")
    expected = torch.stack(
        [output[0, 1, 5, 6], output[1, 2].mean(), -output[2, 3, 31, 27], output[3, 0, 61, 53]]
    )
    torch.testing.assert_close(network.activation(x, units), expected)
    torch.testing.assert_close(units.read_all(output).diagonal(), expected)


@pytest.mark.parametrize(
    "text", ["fc3:4", "-fc3:4", "conv1:2@3,14", "conv1:2@mean", "block:7@12", "-a.b.0:1@mean"]
)
def test_addresses_read_as_they_are_written(text):
    assert str(Neuron.parse(text)) == text


def test_a_range_shares_its_place_and_sign():
    assert [str(n) for n in parse_neurons("-conv1:1-3@4,5")] == [
        "-conv1:1@4,5",
        "-conv1:2@4,5",
        "-conv1:3@4,5",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0:1@62,0", "62 x 54 places; 0:1@62,0 is not among them"),
        ("0:1@3", "A place in net's layer 0 is written @Y,X"),
        ("2:1@3,4", "net's layer 2 has no places; leave out @3,4."),
        ("2:1@mean", "net's layer 2 has no places; leave out @mean."),
    ],
)
def test_places_that_are_not_there_are_one_sentence(text, sentence):
    network = seeded(lambda: network_of(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(13392, 2)))
    with pytest.raises(StudioError, match=sentence):
        network.check(Neuron.parse(text))
