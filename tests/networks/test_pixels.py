"""Inputs of every kind: channels, ranges, and what a picture shows of them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from ldam_studio.engine.picture import to_bytes
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options


def spec(channels: int, **given) -> PixelSpec:
    return PixelSpec(channels, 3, 5, (0.0,) * channels, (1.0,) * channels, **given)


@pytest.mark.parametrize(
    ("channels", "shown", "expected"),
    [
        (1, (), (0, 0, 0)),
        (2, (), (0, 1, 1)),
        (3, (), (0, 1, 2)),
        (4, (), (0, 1, 2)),
        (4, (3,), (3, 3, 3)),
        (13, (12, 0), (12, 0, 0)),
        (13, (3, 2, 1), (3, 2, 1)),
    ],
)
@pytest.mark.parametrize("display", ["image", "signed"])
def test_a_picture_shows_the_channels_that_were_chosen(channels, shown, expected, display):
    image = np.linspace(0, 1, channels * 15, dtype=np.float32).reshape(channels, 3, 5)
    picture = to_bytes(image, spec(channels, shown=shown), display, 1.0)
    assert picture.shape == (3, 5, 3)
    grey = [to_bytes(image[c : c + 1], spec(1), display, 1.0)[..., 0] for c in expected]
    assert np.array_equal(picture, np.stack(grey, axis=-1))


def test_the_scale_of_a_signed_picture_is_that_of_the_channels_shown():
    image = np.stack([np.full((3, 5), level, np.float32) for level in (0.5, 8.0)])
    assert to_bytes(image, spec(2, shown=(0,))).max() == 255


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-3.5, 2.0)])
def test_every_range_is_pixels_from_0_to_1_and_the_network_is_fed_the_same(bounds):
    low, high = bounds
    told = PixelSpec(2, 3, 5, (0.5, -2.0), (0.25, 7.0), low, low, high)
    unit = told.from_0_to_1()
    assert unit.bounds == (0, 1) and unit.rest == 0
    as_told, as_unit = (Network("n", nn.Flatten(), pixels) for pixels in (told, unit))
    x = torch.rand(4, 2, 3, 5)
    fed = as_told.normalise(low + (high - low) * x)
    assert torch.allclose(as_unit.normalise(x), fed, atol=1e-5)


def test_a_network_that_takes_another_range_is_opened_as_taking_pixels_from_0_to_1(tmp_path):
    code = tmp_path / "bytes.py"
    code.write_text(
        "from torch import nn\n"
        "def model():\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(4 * 6 * 9, 2))\n"
        "    net.pixels = dict(channels=4, height=6, width=9, mean=[0] * 4, std=[1] * 4,\n"
        "                      minimum=0, maximum=255, rest=127.5, shown=[2, 1, 0])\n"
        "    return net\n"
    )
    network = open_network(f"{code}:model")
    assert network.pixels.bounds == (0, 1) and network.pixels.rest == 0.5
    assert network.pixels.std == (1 / 255,) * 4
    assert network.pixels.picture == (2, 1, 0)
    given = PixelSpec(4, 6, 9, (0.0,) * 4, (1.0,) * 4, 0.0, -1.0, 1.0, (3,))
    again = open_network(f"{code}:model", None, Options(given))
    # What a recipe keeps opens the same once more.
    assert PixelSpec.of(asdict(again.provenance.given_pixels)) == given
    assert again.pixels == given.from_0_to_1()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"shown": (0, 1, 2, 3)}, "one to three of the channels 0 to 4"),
        ({"shown": (5,)}, "one to three of the channels 0 to 4, not 5"),
        ({"shown": (-1,)}, "one to three"),
        ({"rest": 2.0}, "rest colour 2 lies outside the range of pixels, 0 to 1"),
        ({"minimum": 1.0}, "minimum must be below its maximum"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(given, says):
    with pytest.raises(StudioError, match=says):
        spec(5, **given)
