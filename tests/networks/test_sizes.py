"""Networks on images of another size than their own."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sizes import MOST_SIDES
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import SETTINGS, Settings
from ldam_studio.sampler.views import sides_of_views


@pytest.fixture(scope="module")
def vgg():
    return open_network("vgg")


def network(*parts, height=12, width=18):
    module = nn.Sequential(*parts)
    return Network("small", module, PixelSpec(1, height, width, (0.2,), (0.5,)))


def test_it_shares_module_and_weights_and_is_found_once(vgg):
    large = vgg.at_side(64)
    assert large is not None and large is vgg.at_side(64)
    assert large.module is vgg.module and large.pixels.shape == (3, 64, 64)
    assert large.labels == vgg.labels and large.sha256 == vgg.sha256
    assert vgg.pixels.shape == (3, 32, 32)
    assert vgg.at_side(0) is vgg and vgg.at_side(32) is vgg


def test_layers_have_other_places_but_the_same_neurons(vgg):
    large = vgg.at_side(64)
    assert vgg.layer("conv1_2").places == (32, 32)
    assert large.layer("conv1_2").places == (64, 64)
    assert [la.name for la in large.layers] == [la.name for la in vgg.layers]
    field, same = large.receptive_field("conv1_2", (40, 40)), vgg.receptive_field("conv1_2", (8, 8))
    assert field == tuple(edge + 32 for edge in same)


def test_it_computes_what_the_module_computes_there(vgg):
    x = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    large = vgg.at_side(64)
    values = large.activation(x, large.units((Neuron("fc", 3), Neuron("fc", 4))))
    expected = vgg.module(vgg.normalise(x))
    assert torch.allclose(values, expected[[0, 1], [3, 4]], atol=1e-4)


def test_a_longer_side_keeps_its_ratio():
    fully = network(nn.Conv2d(1, 4, 3), nn.ReLU())
    assert fully.at_side(24).pixels.shape == (1, 24, 36)


def test_places_move_with_the_size_of_the_layer():
    small = network(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU())
    large = small.at_side(36)
    asked = (
        Neuron("0", 1, (0, 0)),
        Neuron("0", 2, (11, 17)),
        Neuron("0", 3),
        Neuron("0", 0, "mean"),
    )
    moved = large.seen_from(small, asked)
    assert [n.place for n in moved] == [(1, 1), (34, 52), None, "mean"]
    assert [n.index for n in moved] == [1, 2, 3, 0]
    assert small.seen_from(small, asked) == asked


@pytest.mark.parametrize(
    "parts",
    [
        (nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 10 * 16, 3)),
        (nn.Conv2d(1, 2, 3), nn.Flatten()),
    ],
    ids=["fixed", "other neurons"],
)
def test_a_network_of_one_size_says_so(parts):
    assert network(*parts).at_side(24) is None


def test_only_the_last_sizes_are_kept():
    fully = network(nn.Conv2d(1, 4, 3), nn.ReLU())
    first, last = fully.at_side(30), [fully.at_side(side) for side in range(40, 40 + MOST_SIDES)]
    assert all(fully.at_side(40 + number) is one for number, one in enumerate(last))
    assert fully.at_side(30) is not first
    assert fully.at_side(30).listing.all == first.listing.all


class Halves(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x):
        assert x.shape[2] % 32 == 0, "32 pixels at a time"
        return self.conv(x)


def test_the_nearest_multiple_of_32_pixels_is_taken_if_needed():
    halves = network(Halves(), height=64, width=64)
    assert halves.at_side(100).pixels.shape == (1, 96, 96)
    assert halves.at_side(3).pixels.shape == (1, 32, 32)
    assert halves.at_side(70) is halves


def test_other_weights_keep_the_sizes_that_are_known(vgg):
    large = vgg.at_side(64)
    doubled = {name: value * 2 for name, value in vgg.module.state_dict().items()}
    twin = vgg.twin(doubled, WeightsFile(Path("doubled.safetensors"), "0"))
    again = twin.at_side(64)
    assert again.module is twin.module is not vgg.module
    assert again.listing is large.listing


def test_all_sizes_of_views_are_kept_at_the_highest_resolution():
    """Otherwise the layers of each would be listed again in every step."""
    settings = Settings.of(view_size=SETTINGS["view_size"].minimum)
    assert len(sides_of_views(settings, int(SETTINGS["resolution"].maximum))) < MOST_SIDES
