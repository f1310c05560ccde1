"""Recipes carry the pictures of a session: as a hash, inside, or in a session file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from export.test_replay import opened, run
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import CHANGES
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.photographs import bring
from ldam_studio.errors import StudioError
from ldam_studio.explore.photograph.pushing import push_settings
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare, steps_to_replay
from ldam_studio.export.shown import Shown
from ldam_studio.networks.neurons import Neuron


def photograph(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    grey = np.random.default_rng(seed).integers(0, 99, (28, 28), dtype=np.uint8)
    Image.fromarray(grey).save(path)
    return path


def kept_from(path: Path, state) -> KeptPicture:
    return bring(path, state.lane.network.pixels)


def started(path: Path):
    state = run(opened(), 5)
    state, _ = advance(state, [Change("picture", kept_from(path, state))], 0)
    state = run(state, 5, Change("start_from", StartFrom(0, None, 0.1)), Change("rest", 0))
    return run(state, 5, Change("start_from", StartFrom(0, (1, 2))))


def test_a_photograph_travels_as_a_hash(tmp_path):
    state = started(photograph(tmp_path / "elsewhere" / "me.png"))
    (tmp_path / "a").mkdir()
    path = export(state, Shown("strip"), tmp_path / "a" / "a.png").path
    text = read_recipe(path).text
    assert "levels:" not in text and "pictures" not in read_recipe(path).data
    # The person's own photograph is known, wherever it lies.
    found = compare(path)
    assert found is not None and found.identical and found.replayed == 10
    # Elsewhere it is not, until it is named or lies beside the picture.
    moved = tmp_path / "b"
    moved.mkdir()
    (tmp_path / "elsewhere" / "me.png").rename(moved / "renamed.png")
    with pytest.raises(StudioError) as error:
        compare(path)
    assert str(error.value) == (
        "The photograph me.png is not inside the recipe and not in the folder of the picture; put "
        "it there, or name it: replay --photograph FILE."
    )
    named = compare(path, Nearby(path.parent, pictures=[moved / "renamed.png"]))
    assert named is not None and named.identical
    path.rename(moved / "a.png")
    beside = compare(moved / "a.png")
    assert beside is not None and beside.identical
    photograph(moved / "renamed.png", seed=1)
    with pytest.raises(StudioError, match="not in the folder of the picture"):
        compare(moved / "a.png")


def test_a_counterfactual_replays(tmp_path):
    state = run(opened(), 5)
    kept = bring(photograph(tmp_path / "me.png"), state.lane.network.pixels)
    neuron = Neuron("fc3", 8)
    changes = [
        *(Change(name, value) for name, value in push_settings(state.lane.network, neuron).items()),
        *(Change("picture", kept), Change("neurons", (neuron,)), Change("rest", 0)),
        Change("start_from", StartFrom(0)),
    ]
    state = run(state, 20, *changes)
    found = compare(export(state, Shown("average"), tmp_path / "a.png").path)
    assert found is not None and found.identical and found.replayed == 20


def test_a_photograph_travels_inside_if_wished(tmp_path):
    place = photograph(tmp_path / "elsewhere" / "me.png")
    path = export(started(place), Shown("strip"), tmp_path / "a.png", photographs=True).path
    place.unlink()
    found = compare(path)
    assert found is not None and found.identical


def test_a_picture_without_a_file_is_always_inside(tmp_path):
    kept = KeptPicture(torch.rand(1, 28, 28), "drawn", "average")
    state, _ = advance(opened(), [Change("picture", kept), Change("start_from", StartFrom(0))], 0)
    path = export(run(state, 4), Shown("raw"), tmp_path / "a.png").path
    found = compare(path)
    assert found is not None and found.identical


def test_pictures_too_large_for_a_recipe_are_in_a_session_file(tmp_path, monkeypatch):
    monkeypatch.setattr("ldam_studio.export.exporting.LIMIT", 3000)
    kept = KeptPicture(torch.rand(1, 28, 28), "drawn", "average")
    state, _ = advance(opened(), [Change("picture", kept), Change("start_from", StartFrom(0))], 0)
    made = export(run(state, 4), Shown("raw"), tmp_path / "a.png")
    assert made.sidecar is not None
    found = compare(made.path)
    assert found is not None and found.identical
    state, _ = advance(state, [Change("rest", 0)])
    again = compare(export(run(state, 4), Shown("raw"), tmp_path / "b.png").path)
    assert again is not None and again.identical


def test_what_was_kept_of_the_chains_needs_the_steps_before(tmp_path, monkeypatch):
    """A change that computes a picture from the chains is not skipped by a later restart."""

    def keep_mean(state, change, after, _numbers):
        mean = KeptPicture(state.lane.chains.x.mean(0), "mean", "average")
        state.pictures = (*state.pictures, mean)

    monkeypatch.setitem(
        CHANGES, "melt", replace(CHANGES["melt"], effect=keep_mean, reads_chains=True)
    )
    state = run(run(opened(), 5), 3, Change("melt", 1))
    state = run(state, 4, Change("start_from", StartFrom(0)))
    assert steps_to_replay(state) == 12
    found = compare(export(state, Shown("raw"), tmp_path / "a.png").path)
    assert found is not None and found.identical and found.replayed == 12
