"""Two networks side by side in one picture, which has both recipes and can be replayed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from former_formats import in_format_1
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.picture import (
    LEAST_SCALE,
    common_scale,
    difference_scale,
    difference_to_bytes,
)
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.exporting import draft, export
from ldam_studio.export.formats.table import read, read_recipe
from ldam_studio.export.locate import Nearby
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.rerun import rerun, spec_at_export
from ldam_studio.export.session_file import read_session, session_bytes
from ldam_studio.export.shown import KINDS, Shown, picture_of
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.sampler.kernels import State
from ldam_studio.sampler.settings import Settings
from thinned import one_in

DATA = Path(__file__).parent.parent / "data"
LENET = open_network("lenet")
GREY = PixelSpec(1, 2, 2, (0.5,), (0.5,), rest=0.25)


def opened(second=None):
    return open_session(
        SessionSpec(
            LENET,
            LENET.default_neurons(3),
            Settings.of(temperature=0.1, jitter=1),
            seed=7,
            beside=() if second is None else (second,),
        )
    )


def run(state, steps, *changes):
    state, info = advance(state, changes)
    assert not info.refused
    for _ in range(steps - 1):
        state, _ = advance(state)
    return state


@pytest.fixture(scope="module")
def averaged():
    return open_network("lenet-averaged")


def worked_on(averaged):
    """Return a session that was compared, changed in each lane, and looked at elsewhere."""
    state = run(opened(), 3, Change("l2", 0.2))
    state = run(state, 3, Change("compare", LaneSpec(averaged)))
    state = run(state, 3, Change("temperature", 0.3, 1), Change("l2", 0.1, 0))
    return run(state, 3, Change("neurons", ("fc2:3", "fc2:4", "fc2:5"), 1))


@pytest.mark.parametrize("what", KINDS)
def test_every_kind_of_picture_has_both_lanes_and_is_replayed(tmp_path, averaged, what):
    state = worked_on(averaged)
    path = tmp_path / "a.png"
    export(state, Shown(what, front=1 if what in ("average", "raw") else 0, zoom=2), path)
    found = compare(path)
    assert found.identical
    written = read_recipe(path).data
    assert written["format"] == 3
    first, second = written["end"]["lanes"]
    assert first["network"]["sha256"] != second["network"]["sha256"]
    assert second["network"]["name"] == "lenet-averaged"
    assert second["neurons"][0] == "fc2:3"
    assert len(written["lanes"][1]["samples"]) == 3
    assert ("difference_scale" in written["lanes"][1]) == (what in ("average", "averages"))


def test_a_recipe_has_a_lane_for_each_network(tmp_path, averaged):
    for name, beside in (("a", ()), ("b", (LaneSpec(averaged),))):
        export(run(opened(*beside), 3), Shown("raw"), tmp_path / f"{name}.png")
        data = read_recipe(tmp_path / f"{name}.png").data
        assert data["format"] == 3
        assert len(data["lanes"]) == len(data["end"]["lanes"]) == 1 + len(beside)


def test_a_picture_of_format_1_replays_to_the_same_pixels(tmp_path):
    export(run(opened(), 3), Shown("raw"), tmp_path / "a.png")
    recipe, picture = read(tmp_path / "a.png")
    again = rerun(Recipe(in_format_1(recipe.data)), Nearby(tmp_path))
    assert again is not None and (picture_of(again, recipe.shown) == picture).all()


def test_after_the_comparison_has_ended_the_picture_is_replayed_too(tmp_path, averaged):
    state = run(worked_on(averaged), 4, Change("compare", None))
    export(state, Shown("averages"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical


def test_going_on_from_the_first_ones_pixels_is_replayed(tmp_path, averaged):
    state = run(opened(), 6)
    state = run(state, 4, Change("compare", LaneSpec(averaged, restart=False)))
    export(state, Shown("average"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical


def test_a_comparison_from_the_start_opens_again_as_it_was(tmp_path, averaged):
    state = run(opened(LaneSpec(averaged, settings=Settings.of(l2=0.4))), 3)
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical
    spec = spec_at_export(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert spec.beside[0].network.sha256 == averaged.sha256
    assert spec.beside[0].settings.l2 == 0.4


def test_weights_of_the_second_network_are_looked_for_beside_the_picture(tmp_path, averaged):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    weights = there / "w.safetensors"
    write_weights(weights, averaged.module.state_dict(), {})
    state = run(opened(), 3, Change("compare", LaneSpec(open_network("lenet", weights))))
    export(state, Shown("raw"), here / "a.png")
    weights.rename(here / "w.safetensors")
    assert compare(here / "a.png").identical
    (here / "w.safetensors").rename(there / "moved.safetensors")
    files = Nearby(here, [there / "moved.safetensors"])
    assert compare(here / "a.png", files).identical


def test_the_file_given_for_the_second_network_is_one_of_those_it_had(tmp_path, averaged):
    places = [tmp_path / "first.safetensors", tmp_path / "later.safetensors"]
    for place, network in zip(places, (averaged, LENET), strict=True):
        write_weights(place, network.module.state_dict(), {})
    first, later = (open_network("lenet", place) for place in places)
    state = run(opened(LaneSpec(first)), 2)
    state = run(state, 2, Change("weights", later, 1))
    export(state, Shown("raw"), tmp_path / "a.png")
    for place in places:
        moved = place.rename(tmp_path / "moved.safetensors")
        assert compare(tmp_path / "a.png", Nearby(tmp_path, [moved])).identical
        moved.rename(place)


def test_a_log_too_long_for_the_picture_goes_on_from_a_sidecar(tmp_path, averaged, monkeypatch):
    monkeypatch.setattr("ldam_studio.export.exporting.LIMIT", 100)
    state = worked_on(averaged)
    export(state, Shown("average"), tmp_path / "a.png")
    state = run(state, 3, Change("l2", 0.3, 1))
    export(state, Shown("average"), tmp_path / "b.png")
    assert compare(tmp_path / "b.png").identical


def test_a_session_file_goes_on_with_both_lanes_and_their_history(tmp_path, averaged):
    state = worked_on(averaged)
    (tmp_path / "s").write_bytes(session_bytes(state, history=True))
    again = read_session(tmp_path / "s")
    assert again.log == state.log
    state, again = run(state, 3), run(again, 3)
    assert torch.equal(state.lanes[1].chains.x, again.lanes[1].chains.x)
    export(again, Shown("average"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical


def test_both_lanes_are_shown_at_one_scale(averaged):
    """What is a quarter of the other one's distance is a quarter as far from grey."""
    state = run(opened(LaneSpec(averaged)), 2)
    far = run(opened(), 2).lane.chains.x * 0 + 0.8
    first, second = state.lanes

    rest = first.network.pixels.rest
    state.lanes = (
        replace(first, chains=State(far)),
        replace(second, chains=State(rest + (far - rest) / 4)),
    )
    picture = picture_of(state, Shown("raw")).astype(int)
    assert picture.shape == (28, 28 + 3 + 28, 3)
    assert (picture[:, :28] == 255).all()
    assert (abs(picture[:, 31:] - (127.5 + 127.5 / 4)) <= 1).all()


def test_what_was_not_settled_in_either_lane_is_told(tmp_path, averaged):
    state = run(opened(LaneSpec(averaged)), 3, Change("burn_in", 1, 0), Change("threshold", -1e9))
    made = draft(state, {tmp_path / "a.png": Shown("average")})
    assert state.lane.progress.done.all()
    assert not made.exported[0].burned_in


def test_scale_of_a_difference_is_a_round_number():
    for size, scale in ((0.13, 0.2), (0.2, 0.2), (0.6, 1.0), (3.0, 5.0), (0.0, LEAST_SCALE)):
        assert difference_scale(np.full((1, 2, 2), -size, np.float32)) == pytest.approx(scale)
    assert difference_scale(np.array([[[np.nan]]], np.float32)) == 1.0


def test_colours_of_a_difference():
    one = np.array([[[0.0, 1.0], [-1.0, 0.5]]], np.float32)
    grey, above, below, half = difference_to_bytes(one, GREY, 1.0).reshape(4, 3).astype(int)
    assert abs(grey - 127.5).max() < 1
    assert above[0] > above[2]
    assert below[2] > below[0]
    assert abs(half - (grey + above) / 2).max() <= 1
    colour = PixelSpec(3, 1, 1, (0.5,) * 3, (0.5,) * 3, rest=0.25)
    shown = difference_to_bytes(
        np.array([0.0, 1.0, -1.0], np.float32).reshape(3, 1, 1), colour, 1.0
    )
    assert shown.ravel().tolist() == [128, 255, 0]


def test_common_scale_leaves_out_what_is_not_finite():
    images = [np.full((1, 2, 2), value, np.float32) for value in (0.5, np.inf, -0.75)]
    assert common_scale(images, GREY) == 1.0
    assert common_scale(images[1:2], GREY) == 1.0


def test_a_session_file_of_version_0_1_0_goes_on_with_both_lanes(tmp_path, averaged):
    """The picture exported of it is that of a replay from its start: all that was kept is read."""
    state = read_session(DATA / "two-networks-0.1.0.ldam-session.safetensors")
    assert (state.step, len(state.lanes)) == (10, 2)
    first, second = state.lanes
    assert first.network.sha256 == LENET.sha256 and second.network.sha256 == averaged.sha256
    assert (first.settings.l2, second.settings.l2) == (0.5, 0.25)
    assert [str(neuron) for neuron in second.neurons] == ["fc2:3", "fc2:4"]
    state = run(state, 6, Change("temperature", 0.1, 1))
    for what in ("strip", "averages"):
        export(state, Shown(what), tmp_path / f"{what}.png")
        assert compare(tmp_path / f"{what}.png").identical


def three(averaged):
    """Return a session of three networks, the last one from where the first one's pixels were."""
    state = run(opened(LaneSpec(averaged)), 3)
    state = run(state, 3, Change("compare", LaneSpec(LENET, restart=False), 2))
    return run(state, 3, Change("l2", 0.2, 2), Change("neurons", ("fc2:3",)), Change("chains", 4))


@pytest.mark.parametrize("what", one_in(2, KINDS))
def test_three_networks_in_one_picture_are_replayed(tmp_path, averaged, what):
    state = three(averaged)
    export(state, Shown(what), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical
    lanes = read_recipe(tmp_path / "a.png").said.lanes
    assert len(lanes) == 3
    apart = what in ("average", "averages")
    assert [lane.difference_scale is not None for lane in lanes] == [False, apart, apart]
    spec = spec_at_export(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert [lane.network.name for lane in spec.outline.lanes] == [
        "lenet",
        "lenet-averaged",
        "lenet",
    ]
