"""Mailbox, pictures, stored sessions, descriptions."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from former_formats import without_lanes
from ldam_studio.engine import serialise
from ldam_studio.engine.compute import device
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import describe
from ldam_studio.engine.mailbox import Mailbox
from ldam_studio.engine.picture import enlarge, grid, to_bytes
from ldam_studio.engine.session import SessionSpec, open_session, spec_from
from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.settings import Settings
from thinned import one_in

GREY = PixelSpec(1, 2, 2, mean=(0.0,), std=(1.0,), rest=0.5)


def test_the_latest_wins_in_a_mailbox():
    mailbox = Mailbox()
    assert mailbox.take() is None
    mailbox.put(1)
    mailbox.put(2)
    assert (mailbox.take(), mailbox.take()) == (2, None)


def test_signed_pictures_show_rest_as_mid_grey():
    image = np.array([[[0.5, 0.75], [0.25, 0.5]]], dtype=np.float32)
    assert to_bytes(image, GREY)[..., 0].tolist() == [[128, 255], [0, 128]]
    assert to_bytes(image, GREY, scale=0.5)[..., 0].tolist() == [[128, 191], [64, 128]]
    assert to_bytes(image, GREY, "image")[..., 0].tolist() == [[128, 191], [64, 128]]


@given(st.lists(st.floats(width=32), min_size=4, max_size=4), st.sampled_from(["signed", "image"]))
def test_any_image_becomes_a_picture(values, display):
    image = np.array(values, dtype=np.float32).reshape(1, 2, 2)
    with np.errstate(all="ignore"):
        picture = to_bytes(image, GREY, display)
    assert (picture.shape, picture.dtype) == ((2, 2, 3), np.uint8)


def test_pictures_are_enlarged_and_laid_out_in_rows():
    pictures = [np.full((2, 3, 3), i, dtype=np.uint8) for i in range(5)]
    assert enlarge(pictures[1], 4).shape == (8, 12, 3)
    sheet = grid(pictures, columns=2)
    assert sheet.shape == (8, 7, 3)
    assert sheet[3, 0, 0] == 2
    assert sheet[3, 4, 0] == 3


def test_a_description_opens_the_same_session(open_one, run):
    state, _ = run(open_one(chains=4, temperature=(0.1, 0.2, 0.3, 0.4)), 3)
    text = json.dumps(describe(open_one(chains=4, temperature=(0.1, 0.2, 0.3, 0.4)).outline))
    again, _ = run(open_session(spec_from(json.loads(text))), 3)
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)


@pytest.mark.parametrize("old", [False, True], ids=["lanes", "as 0.1.0 wrote it"])
@pytest.mark.parametrize("missing", ["network", "neurons", "settings", "seed", "machine"])
def test_an_incomplete_description_is_one_sentence(open_one, missing, old):
    description = describe(open_one().outline)
    if old:
        description = without_lanes(description)
        assert spec_from(description).neurons == open_one().lane.neurons
    parts = (description, *description.get("lanes", ()))
    del next(part for part in parts if missing in part)[missing]
    with pytest.raises(StudioError, match="incomplete or damaged"):
        spec_from(description)


def test_other_weights_than_described_are_refused(open_one):
    description = describe(open_one().outline)
    lane = description["lanes"][0]
    lane["network"] = {**lane["network"], "sha256": "0" * 64}
    with pytest.raises(StudioError, match="not those that were used"):
        spec_from(description)


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_a_stored_session_goes_on_with_the_same_bits(open_one, run, kernel):
    state, _ = run(open_one(kernel=kernel), 6, {4: [("melt", 5), ("temperature", 0.02)]})
    tensors, about = serialise.to_tensors(state)
    again = serialise.from_tensors(tensors, json.loads(json.dumps(about)))
    assert again.step == 6
    ahead, _ = run(state, 6)
    behind, _ = run(again, 6)
    assert torch.equal(ahead.lane.chains.x, behind.lane.chains.x)
    assert torch.equal(ahead.lane.average.mean, behind.lane.average.mean)


@pytest.fixture(scope="module")
def vgg():
    return open_network("vgg")


@pytest.mark.parametrize("kernel", one_in(2, KERNELS))
def test_a_stored_session_of_several_channels_that_began_in_clouds_goes_on(run, vgg, kernel):
    """Clouds are laid out by channel, and the noise of the next steps depends on that."""
    settings = Settings(start_spectrum=1.0, colour_correlation=0.5, kernel=kernel)
    spec = SessionSpec(vgg, vgg.default_neurons(2), settings, device=Device())
    state, _ = run(open_session(spec), 2)
    assert not state.lane.chains.x.is_contiguous()
    tensors, about = serialise.to_tensors(state)
    again = serialise.from_tensors(tensors, json.loads(json.dumps(about)))
    ahead, _ = run(state, 2)
    behind, _ = run(again, 2)
    assert torch.equal(ahead.lane.chains.x, behind.lane.chains.x)


def test_a_forged_layout_is_one_sentence(open_one):
    tensors, about = serialise.to_tensors(open_one())
    for layout in ([0, 1, 2], [0, 1, 2, 9], [0, 0, 1, 2], 5, ["x"], [0.0, 1, 2, 3], {}):
        with pytest.raises(StudioError, match="incomplete or damaged"):
            serialise.from_tensors(tensors, about | {"layouts": {"lanes.0.x": layout}})


@pytest.mark.parametrize(
    "name", ["x", "average.count", "progress.steady", "thresholds.values", "waking.led"]
)
def test_a_stored_session_of_other_shapes_or_types_is_one_sentence(open_one, name):
    tensors, about = serialise.to_tensors(open_one())
    right = tensors[f"lanes.0.{name}"]
    for wrong in (torch.cat([right, right]), torch.tensor(1.0), right.to(torch.int8)):
        with pytest.raises(StudioError, match="incomplete or damaged"):
            serialise.from_tensors({**tensors, f"lanes.0.{name}": wrong}, about)


def test_a_damaged_stored_session_is_one_sentence(open_one):
    tensors, about = serialise.to_tensors(open_one())
    del tensors["lanes.0.average.mean"]
    with pytest.raises(StudioError, match="incomplete or damaged"):
        serialise.from_tensors(tensors, about)


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose("auto").name == "cpu"
    with pytest.raises(StudioError, match="no usable cuda"):
        device.choose("cuda")
    with pytest.raises(StudioError, match="one of auto, cuda"):
        device.choose("gpu")


@pytest.mark.cuda
def test_a_session_runs_on_cuda(lenet):
    from ldam_studio.engine.advance import advance
    from ldam_studio.engine.session import SessionSpec

    state = open_session(SessionSpec(lenet, lenet.default_neurons(3), device=device.choose("cuda")))
    state, info = advance(state)
    assert info.lanes[0].activation.is_cuda
    lenet.to("cpu")
