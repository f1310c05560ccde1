"""Fields and crops that turn out to be wrong while chains run, in code that cannot be followed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ldam_studio.engine import serialise
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.field_checks import EARLY, sentence
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.session import Opener, SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.trust import Trust
from ldam_studio.export.exporting import export
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

CODE = """
import torch
from torch import nn


class Hidden(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.conv.weight.data.fill_(0.2)
        self.conv.weight.data[:, :, 1, 1] = 0.6
        self.conv.bias.data.zero_()
        self.last.weight.data.fill_(0.3)
        self.hidden = hidden
        self.pixels = {"channels": 3, "height": 24, "width": 20, "mean": [0.0] * 3,
                       "std": [1.0] * 3, "rest": 0.5}

    def forward(self, x):
        return self.last(self.conv(torch.vmap(self.hidden)(x)))


def add_mean(image):
    largest = image.amax()
    return image + torch.where((largest > 1.2) & (largest < 2.4), image.mean(), 0.0 * largest)


def double(image):
    mean = image.mean()
    return image * torch.where((mean > 0.65) & (mean < 1.6), 2.0, 1.0)


def adds():
    return Hidden(add_mean).eval()


def doubles():
    return Hidden(double).eval()


def plain():
    return Hidden(torch.sin).eval()
"""
NEURON = Neuron("last", 0)
SETTINGS = Settings.of(
    mode="normalised", start_spread=0.05, temperature=1e-4, l2=0.5, step_size=0.02, clamp=False
)


@pytest.fixture
def opened(tmp_path: Path):
    def make(kind: str, *, confirmed: bool = True) -> SessionState:
        code = tmp_path / "hidden.py"
        code.write_text(CODE)
        network = open_network(f"{code}:{kind}")
        assert network.receptive_field("last") == (10, 8, 15, 13)
        device = replace(choose("cpu"), confirmed=confirmed)
        return open_session(SessionSpec(network, (NEURON,) * 2, SETTINGS, seed=3, device=device))

    return make


def run(state: SessionState, steps: int) -> tuple[SessionState, list[tuple[int, str]]]:
    told = []
    for _ in range(steps):
        state, info = advance(state)
        told += [(state.step - 1, mark) for mark in info.told]
    return state, told


@pytest.mark.parametrize(
    ("kind", "trust"), [("adds", Trust.NOTHING), ("doubles", Trust.FIELD), ("plain", Trust.CROP)]
)
def test_a_chain_that_shows_that_more_is_seen_is_evaluated_on_whole_images(opened, kind, trust):
    state = opened(kind)
    assert state.lane.targets.crop is not None and sentence(state.lane) == ""
    state, told = run(state, EARLY[1] + 1)
    lane = state.lane
    assert lane.trust is trust
    assert (lane.targets.crop is None) == (kind != "plain")
    assert (lane.targets.fields[0] is None) == (kind == "adds")
    assert len(told) == (kind != "plain") and all("whole image" in mark for _, mark in told)
    assert ("last:0" in sentence(lane)) == (kind != "plain")
    frame = {"infos": (), "notices": (), "steps_per_second": 0.0, "lesson": None}
    shown = make_frame(state, FrameRequest(), number=1, commands_seen=0, **frame).lanes[0]
    assert (shown.field is None) == (kind == "adds") and shown.doubt == sentence(lane)


def test_the_step_in_which_it_is_found_uses_the_whole_image(opened):
    state, _ = run(opened("adds"), EARLY[0])
    assert state.lane.trust is Trust.CROP
    x = state.lane.chains.x
    _, info = advance(state)
    network = state.lane.network
    whole = network.activation(x, network.units([NEURON] * 2))
    torch.testing.assert_close(info.lanes[0].activation, whole)


def test_what_was_found_lasts_until_the_chains_start_again(opened):
    state, _ = run(opened("adds"), EARLY[0] + 1)
    assert state.lane.trust is Trust.NOTHING
    state, _ = advance(state, [Change("chains", 3)])
    assert state.lane.trust is Trust.NOTHING and state.lane.targets.crop is None
    state, _ = advance(state, [Change("restart")], 0)
    assert state.lane.trust is Trust.CROP and state.lane.targets.crop is not None
    state, _ = advance(state, [Change("neurons", [Neuron("conv", 1)])], 0)
    assert state.lane.trust is Trust.CROP


@pytest.mark.parametrize("restarts", [False, True])
def test_a_replay_finds_the_same(opened, tmp_path, restarts):
    state, _ = run(opened("adds"), EARLY[0] + 4)
    if restarts:
        state, _ = advance(state, [Change("restart")], 0)
        state, _ = run(state, EARLY[0] + 4)
    assert state.lane.trust is Trust.NOTHING
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png", Nearby(tmp_path, allow_code=True)).identical


def test_a_stored_session_remembers_it(opened):
    state, _ = run(opened("doubles"), EARLY[1] + 1)
    again = serialise.from_tensors(
        *serialise.to_tensors(state), device=choose("cpu"), opener=Opener(allow_code=True)
    )
    assert again.lane.trust is Trust.FIELD and again.lane.targets.crop is None
    state, again = run(state, 3)[0], run(again, 3)[0]
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)


def test_recipes_of_the_first_version_are_not_checked(opened, tmp_path):
    state, told = run(opened("adds", confirmed=False), EARLY[1] + 1)
    assert told == [] and state.lane.targets.crop is not None
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png", Nearby(tmp_path, allow_code=True)).identical


def test_a_neuron_without_any_gradient_has_no_crop_until_it_responds(opened):
    state = opened("plain")
    before = state.lane.network.module.last.weight.data.clone()
    state.lane.network.module.last.weight.data.zero_()
    state, told = run(state, 2)
    assert state.lane.trust is Trust.WAITING and state.lane.targets.crop is None
    assert told == [] and sentence(state.lane) == ""
    state.lane.network.module.last.weight.data.copy_(before)
    state, _ = run(state, EARLY[0])
    assert state.lane.trust is Trust.CROP and state.lane.targets.crop is not None
