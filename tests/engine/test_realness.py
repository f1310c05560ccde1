"""The discriminator of natural images in a session: whom it suits, and how it goes on learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import (
    CIFAR_DISCRIMINATOR,
    DISCRIMINATORS,
    MNIST_DISCRIMINATOR,
    NATURAL_DISCRIMINATOR,
    DiscriminatorModel,
    discriminator_for,
)
from ldam_studio.networks.models import natural_discriminator as natural
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.prepare import prepare
from ldam_studio.sampler.settings import Settings
from ldam_studio.training import real_images
from ldam_studio.training.photos import LEAST_PHOTOS

HALF = (0.5, 0.5, 0.5)


def network(height: int, width: int, channels: int = 3, minimum: float = 0.0) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(channels, 4, 5, stride=4),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    pixels = PixelSpec(channels, height, width, HALF[:channels], HALF[:channels], 0.5, minimum)
    return Network("own", module, pixels)


@pytest.fixture
def model() -> DiscriminatorModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = natural.NaturalDiscriminator()
    return DiscriminatorModel(
        NATURAL_DISCRIMINATOR, prepare(module), DISCRIMINATORS[NATURAL_DISCRIMINATOR].takes
    )


@pytest.fixture
def photographs(tmp_path):
    random = np.random.default_rng(0)
    for number in range(LEAST_PHOTOS):
        pixels = random.integers(0, 256, (70, 90, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def session(net, model, **values):
    settings = Settings.of(clamp=True, discriminator_weight=0.5)
    spec = SessionSpec(net, net.default_neurons(2), settings, 1, model)
    return open_session(replace(spec, **values))


@pytest.mark.parametrize(
    ("height", "width", "fits"),
    [(224, 224, True), (160, 300, True), (299, 299, True), (159, 224, False), (224, 301, False)],
)
def test_anybodys_rgb_network_of_about_that_size_has_it(height, width, fits) -> None:
    assert (discriminator_for(network(height, width)) == NATURAL_DISCRIMINATOR) is fits
    assert discriminator_for(network(height, width, channels=1)) is None
    assert discriminator_for(network(height, width, minimum=-1.0)) is None


def test_anybodys_network_of_digits_or_of_cifar_10_has_theirs() -> None:
    assert discriminator_for(network(28, 28, channels=1)) == MNIST_DISCRIMINATOR
    assert discriminator_for(network(32, 32)) == CIFAR_DISCRIMINATOR
    assert discriminator_for(network(28, 28)) is None
    assert discriminator_for(network(32, 32, minimum=-1.0)) is None


def test_it_suits_every_rgb_image_that_holds_a_window(model) -> None:
    assert model.takes(network(64, 500).pixels) and model.takes(network(224, 224).pixels)
    assert not model.takes(network(63, 500).pixels)
    assert not model.takes(network(224, 224, channels=1).pixels)
    with pytest.raises(StudioError, match="takes RGB images of at least 64x64 pixels"):
        session(network(63, 63), model)


@pytest.mark.parametrize("size", [(64, 64), (64, 91), (117, 80)])
def test_chains_of_any_size_move_under_it(model, size) -> None:
    state = session(network(*size), model)
    before = state.lane.chains.x
    state, info = advance(state)
    assert info.lanes[0].real_probability is not None and bool(
        ((info.lanes[0].real_probability > 0) & (info.lanes[0].real_probability < 1)).all()
    )
    assert state.lane.chains.x.shape[2:] == size and not torch.equal(before, state.lane.chains.x)


def test_its_gradient_reaches_all_of_the_image(model) -> None:
    x = torch.rand(1, 3, 96, 80, requires_grad=True)
    model.module(x).sum().backward()
    assert x.grad is not None and float((x.grad != 0).double().mean()) > 0.9


def test_it_learns_from_photographs_and_goes_on_with_another_size(
    model, photographs, monkeypatch
) -> None:
    monkeypatch.setattr(real_images, "CROPS", 16)
    state = session(network(68, 64), model, learn_every=1, data=photographs)
    state, info = advance(state)
    assert info.lesson is not None and info.lesson.rounds == 1
    state, info = advance(state, [Change("network", network(72, 80))])
    assert not info.refused and info.lesson is not None and info.lesson.rounds == 2
    assert state.real_images is not None and state.real_images.shape[1:] == (3, 72, 80)


def test_learning_without_photographs_is_refused_and_changes_nothing(model) -> None:
    state = session(network(64, 64), model)
    state, info = advance(state, [Change("learn_every", 1)])
    assert "learns from photographs" in info.refused[0] and "--data" in info.refused[0]
    assert state.learn_every == 0 and state.learner is None
    with pytest.raises(StudioError, match="learns from photographs"):
        session(network(64, 64), model, learn_every=1)


def test_a_discriminator_that_could_not_learn_is_not_taken(model) -> None:
    state = session(network(64, 64), None, learn_every=1)
    state, info = advance(state, [Change("discriminator", model)])
    assert "learns from photographs" in info.refused[0] and state.discriminator is None
