"""A further discriminator is an architecture, its weights and one row."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.discriminator import origin_of_real_images
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.networks import discriminators
from ldam_studio.networks.discriminators import (
    DIGITS,
    DISCRIMINATORS,
    Discriminator,
    ImageSizes,
    discriminator_for,
    open_discriminator,
)
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.real_images import REAL_IMAGES, RealImages

PIXELS = PixelSpec(2, 12, 10, (0.5,) * 2, (0.25,) * 2, rest=0.5)
STRIPES = "stripes"


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.body(pixels.mean((2, 3))).squeeze(1)
        return logits


def network_of(pixels: PixelSpec) -> Network:
    channels, height, width = pixels.shape
    return Network(
        "own", nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 3)), pixels
    )


def stripes(_data: object, shape: tuple[int, int, int], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 255, (20, *shape), generator=generator, dtype=torch.uint8)


@pytest.fixture(autouse=True)
def _toy(monkeypatch, tmp_path):
    sizes = ImageSizes(2, (8, 8), None)
    chosen = ImageSizes(2, (10, 10), (16, 16))
    row = Discriminator("toy-discriminator", {"small": Small}, sizes, chosen, STRIPES)
    monkeypatch.setitem(DISCRIMINATORS, row.name, row)
    monkeypatch.setitem(REAL_IMAGES, STRIPES, RealImages(stripes, lambda data: "drawn stripes"))
    path = tmp_path / "toy-discriminator.safetensors"
    write_weights(path, Small().state_dict(), {})
    shipped = discriminators.asset
    monkeypatch.setattr(
        discriminators, "asset", lambda *parts: path if parts[-1] == path.name else shipped(*parts)
    )


def test_the_images_of_a_network_choose_it():
    assert discriminator_for(network_of(PIXELS)) == "toy-discriminator"
    assert discriminator_for(open_network("lenet")) == "lenet-discriminator"
    small = PixelSpec(2, 8, 8, (0.5,) * 2, (0.25,) * 2)
    assert discriminator_for(network_of(small)) is None
    model = open_discriminator("toy-discriminator")
    assert model.takes(small) and not model.takes(PixelSpec(3, 12, 10, (0.5,) * 3, (0.25,) * 3))
    assert str(model.images) == "2-channel images of at least 8x8 pixels between 0 and 1"
    with pytest.raises(StudioError, match=r"no discriminator 'toy'; there are .*toy-discr"):
        open_discriminator("toy")


def test_chains_use_it_and_it_learns_from_its_kind_of_images():
    network = network_of(PIXELS)
    spec = SessionSpec(
        network,
        network.default_neurons(3),
        Settings.of(discriminator_weight=0.5),
        discriminator=open_discriminator("toy-discriminator"),
        learn_every=1,
    )
    state, info = advance(open_session(spec))
    assert info.lesson is not None and info.lesson.rounds == 1
    assert state.real_images is not None and state.real_images.shape == (20, 2, 12, 10)
    assert origin_of_real_images(network, None) == "drawn stripes"


def test_every_row_has_shipped_weights_and_real_images():
    for name, row in DISCRIMINATORS.items():
        assert row.name == name and row.real_images in REAL_IMAGES
        assert open_discriminator(name).images == row.takes
    assert DISCRIMINATORS["lenet-discriminator"].real_images == DIGITS
