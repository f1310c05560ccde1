"""How a step is computed is recorded, and kept by replays and stored sessions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ldam_studio.engine import serialise
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.description import describe, parse_session
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export import recipe
from ldam_studio.export.exporting import export
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


def opened(device: Device) -> SessionState:
    """A preconditioned session after some steps."""
    network = open_network("lenet")
    settings = Settings.of(spectrum=0.5, natural_l2=0.1)
    spec = SessionSpec(network, network.default_neurons(2), settings, seed=7, device=device)
    return run(open_session(spec), 8)


def run(state: SessionState, steps: int) -> SessionState:
    for _ in range(steps):
        state, _ = advance(state)
    return state


def test_new_sessions_use_the_second_and_figures_the_first():
    assert choose("cpu").arithmetic == 2 and Device().arithmetic == 1
    one, other = opened(choose("cpu")), opened(Device())
    assert not torch.equal(one.lane.chains.x, other.lane.chains.x)


@pytest.mark.parametrize("arithmetic", [1, 2])
def test_a_picture_replays_in_the_arithmetic_in_which_it_was_made(tmp_path: Path, arithmetic: int):
    state = opened(replace(choose("cpu"), arithmetic=arithmetic))
    export(state, Shown("raw"), tmp_path / "a.png")
    found = read_recipe(tmp_path / "a.png")
    assert found.data["machine"]["arithmetic"] == arithmetic
    assert compare(tmp_path / "a.png").identical


def test_a_picture_without_an_arithmetic_is_one_of_the_first(tmp_path: Path):
    state = opened(Device())
    picture = picture_of(state, Shown("raw"))
    data = json.loads(recipe.Recipe.of(state, Shown("raw"), picture).text)
    for machine in (data["machine"], data["session"]["machine"], data["end"]["machine"]):
        machine.pop("arithmetic", None)
    data["sha256"] = recipe._hash({k: v for k, v in data.items() if k != "sha256"})
    (tmp_path / "a.png").write_bytes(png.encode(picture, recipe.Recipe(data)))
    found = compare(tmp_path / "a.png")
    assert found.identical and not found.differences


def test_an_arithmetic_of_a_later_version_is_one_sentence():
    description = describe(opened(choose("cpu")).outline)
    description["machine"]["arithmetic"] = 1000
    with pytest.raises(StudioError, match="newer version of LDAM Studio; update the program"):
        parse_session(description)


@pytest.mark.parametrize("arithmetic", [1, 2])
def test_a_stored_session_goes_on_in_its_arithmetic(arithmetic: int):
    state = opened(replace(choose("cpu"), arithmetic=arithmetic))
    tensors, about = serialise.to_tensors(state)
    if arithmetic == 1:
        del about["session"]["machine"]["arithmetic"]  # as earlier versions wrote it
    again = serialise.from_tensors(tensors, json.loads(json.dumps(about)), choose("cpu"))
    assert torch.equal(run(again, 4).lane.chains.x, run(state, 4).lane.chains.x)
