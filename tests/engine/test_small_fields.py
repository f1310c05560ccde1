"""Neurons that see only a part of the image: which views, resolutions and notes suit them."""

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.noise import draw_for_lanes
from ldam_studio.engine.parts import see_a_part
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.setting_notes import PART, SMALL
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View

VIEWS = {"jitter": 8, "view_zoom": 1.25, "view_rotation": 10.0, "view_flip": True}
COARSE = {"schedule": 8, "step_size_start": 0.2, "resolution_start": 24, "threshold": 0.0}
SMALL_FIELD = Neuron("conv1_2", 3)  # 5 of 32 pixels
MEAN = Neuron("conv1_2", 3, "mean")
CLASS = Neuron("fc", 1)


@pytest.fixture(scope="module")
def vgg():
    return open_network("vgg")


@pytest.fixture
def opened(vgg):
    def make(*neurons, **settings):
        asked = tuple(n if n is not CLASS else vgg.default_neurons(1)[0] for n in neurons)
        return open_session(SessionSpec(vgg, asked, Settings.of(**settings), seed=4))

    return make


def views_of(state, count=60):
    return [draw_for_lanes(state.lanes, state.generators)[0][0] for _ in range(count)]


def frame_of(state):
    rest = {"infos": (), "notices": (), "steps_per_second": 0.0, "lesson": None}
    return make_frame(state, FrameRequest(), number=1, commands_seen=0, **rest).lanes[0]


def test_jitter_is_that_share_of_the_field_that_it_was_of_the_image(opened):
    state = opened(SMALL_FIELD, **VIEWS, views_of="field")
    drawn = views_of(state)
    # 8 of 32 pixels are 1 of 5; and nothing but shifts.
    assert {view.shift for view in drawn} == {(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)}
    assert not any(view.warps for view in drawn)
    plain = views_of(opened(SMALL_FIELD, **VIEWS))
    assert max(max(view.shift) for view in plain) == 8 and all(view.warps for view in plain)


@pytest.mark.parametrize("neuron", [MEAN, CLASS], ids=["mean", "class"])
def test_neurons_that_see_the_whole_image_have_the_views_of_the_image(opened, neuron):
    own = views_of(opened(neuron, **VIEWS, views_of="field"))
    assert own == views_of(opened(neuron, **VIEWS))


def test_a_field_that_is_large_is_zoomed_and_turned(opened, vgg):
    large = next(
        Neuron(layer.name, 0)
        for layer in vgg.layers
        if (box := vgg.receptive_field(layer.name)) and 16 <= box[2] - box[0] < 28
    )
    state = opened(large, **VIEWS, views_of="field")
    assert all(view.warps for view in views_of(state))
    top, _, bottom, _ = state.lane.targets.fields[0]
    assert max(max(v.shift) for v in views_of(state, 200)) == round(8 * (bottom - top) / 32)


def test_a_jitter_of_less_than_a_pixel_shows_the_image_itself(opened):
    assert views_of(opened(SMALL_FIELD, jitter=2, views_of="field"), 3) == [View()] * 3


def test_the_schedule_leaves_the_resolution_to_neurons_that_see_a_part(opened, run):
    for neuron, side in ((SMALL_FIELD, 32), (MEAN, 24), (CLASS, 24)):
        state = opened(neuron, **COARSE)
        assert state.lane.chains.x.shape[-1] == side
        now = frame_of(state).now
        assert now["step_size"] == pytest.approx(0.2)
        assert ("resolution" in now) == (side == 24)
        state, _ = run(state, 9)
        assert state.lane.chains.x.shape[-1] == 32


def test_turning_to_another_kind_of_neuron_begins_at_the_resolution_for_it(opened):
    state = opened(CLASS, CLASS, **COARSE)
    state, _ = advance(state, [Change("neurons", [SMALL_FIELD, SMALL_FIELD])])
    assert state.lane.chains.x.shape[-1] == 32
    state, _ = advance(state, [Change("neurons", [SMALL_FIELD, MEAN])])
    assert state.lane.chains.x.shape[-1] == 24  # all chains have one size


def test_a_field_that_lacks_a_row_is_the_whole_image(vgg, monkeypatch):
    monkeypatch.setattr(vgg, "receptive_field", lambda *_: (0, 0, 31, 31))
    assert not see_a_part(vgg, (SMALL_FIELD,), Settings())
    monkeypatch.setattr(vgg, "receptive_field", lambda *_: (0, 0, 24, 24))
    assert see_a_part(vgg, (SMALL_FIELD,), Settings())


def test_frames_say_beside_settings_what_has_no_effect(opened):
    state = opened(SMALL_FIELD, **VIEWS, **COARSE, views_of="field", photo_statistics=0.3)
    notes = frame_of(state).notes
    assert notes["jitter"] == "At most 1 pixel in this neuron's field."
    assert notes["view_zoom"] == notes["view_flip"] == SMALL
    assert notes["resolution_start"] == PART
    assert notes["photo_statistics"].endswith("choose @mean or a later layer.")
    assert not frame_of(state).silence
    of_class = frame_of(opened(CLASS, **VIEWS, **COARSE, views_of="field")).notes
    assert set(of_class) == {"friction"}  # of which the kernel langevin takes no notice


def test_waking_is_no_message_unless_it_takes_long(open_on, run):
    sleeper, numb = Neuron("rectifier", 1), Neuron("rectifier", 3)
    state, _ = run(open_on(sleeper, numb), 4)
    assert frame_of(state).silence == ""
    state, _ = run(state, 20)
    assert "rectifier:3 give no gradient at the start" in frame_of(state).silence
    woken, _ = run(open_on(sleeper), 60)
    assert bool(woken.lane.waking.led.any()) and frame_of(woken).silence == ""
    assert torch.isfinite(woken.lane.chains.x).all()
