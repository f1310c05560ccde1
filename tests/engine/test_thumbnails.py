"""Thumbnails of large images are small, and those of small images are the images."""

import numpy as np
import pytest
import torch
from torch import nn

from ldam_studio.engine import frame
from ldam_studio.engine.frame import THUMBNAIL, FrameRequest, make_frame
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec


def frame_of(state, display="image", side=None, scale=None):
    return make_frame(
        state,
        FrameRequest(1, display, scale, side=side),
        number=1,
        infos=(),
        notices=(),
        steps_per_second=0.0,
        lesson=None,
        commands_seen=0,
    )


def session_of(channels, height, width):
    module = nn.Sequential(nn.Conv2d(channels, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    ones = (1.0,) * channels
    network = Network("small", module, PixelSpec(channels, height, width, ones, ones, rest=0.5))
    return open_session(SessionSpec(network, network.default_neurons(3)))


@pytest.mark.parametrize("display", ["image", "signed"])
def test_small_images_are_their_own_thumbnails(open_one, display):
    state = open_one()
    made = frame_of(state, display)
    pixels = state.lane.network.pixels
    wanted = [to_bytes(x, pixels, display) for x in state.lane.chains.x.numpy()]
    assert np.array_equal(made.lanes[0].thumbnails, np.stack(wanted))
    assert np.array_equal(made.lanes[0].raw, state.lane.chains.x[1].numpy())


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((3, 224, 224), (75, 75)),
        ((1, 96, 40), (96, 40)),
        ((1, 97, 40), (49, 20)),
        ((5, 30, 300), (8, 75)),
        ((2, 1, 1000), (1, 91)),
    ],
)
def test_large_images_are_shrunk_by_a_whole_number(shape, shown):
    state = session_of(*shape)
    made = frame_of(state)
    assert made.lanes[0].thumbnails.shape == (3, *shown, 3)
    assert max(shown) <= THUMBNAIL
    assert made.lanes[0].raw.shape == shape


@pytest.mark.parametrize(
    ("shape", "side", "shown"),
    [
        ((3, 224, 224), 100, (112, 112)),
        ((3, 224, 224), 224, (224, 224)),
        ((3, 224, 224), 1000, (224, 224)),
        ((3, 224, 224), 28, (28, 28)),
        ((3, 224, 224), 0, (1, 1)),
        ((1, 28, 28), 14, (14, 14)),
        ((5, 30, 300), 150, (15, 150)),
    ],
)
def test_a_size_that_is_asked_for_is_at_least_reached(shape, side, shown):
    assert frame_of(session_of(*shape), side=side).lanes[0].thumbnails.shape == (3, *shown, 3)


def test_thumbnails_of_many_chains_are_limited_altogether(monkeypatch):
    monkeypatch.setattr(frame, "MOST_THUMBNAILS", 3 * 50 * 50)
    assert frame_of(session_of(1, 200, 200), side=200).lanes[0].thumbnails.shape[1:3] == (50, 50)
    assert frame_of(session_of(1, 28, 28), side=28).lanes[0].thumbnails.shape[1:3] == (28, 28)


def test_a_thumbnails_pixel_is_the_mean_of_a_square_also_at_the_edge():
    state = session_of(1, 100, 100)
    x = torch.rand(3, 1, 100, 100, generator=torch.Generator().manual_seed(0))
    x[0, 0, 98:, 98:] = 0.25
    state.lane.chains.x.copy_(x)
    made = frame_of(state)
    assert made.lanes[0].thumbnails.shape == (3, 50, 50, 3)
    assert made.lanes[0].thumbnails[0, 49, 49].tolist() == [64] * 3
    mean = float(x[2, 0, 10:12, 20:22].mean())
    assert made.lanes[0].thumbnails[2, 5, 10].tolist() == [round(mean * 255)] * 3
    odd = session_of(1, 101, 101)
    odd.lane.chains.x.fill_(0.25)
    assert frame_of(odd).lanes[0].thumbnails.shape == (3, 51, 51, 3)
    assert set(frame_of(odd).lanes[0].thumbnails.ravel().tolist()) == {64}
