"""A kept mode is computed again by replay: its picture is not in the recipe."""

from __future__ import annotations

from export.test_replay import opened, run
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.kept_modes import KeptMode, origin_of
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.neurons import Neuron


def test_modes_that_were_kept_and_push_away_replay_to_the_same_pixels(tmp_path):
    four = Neuron("fc3", 4)
    state = run(opened(burn_in=4), 6, Change("neurons", (four,)))
    state = run(state, 6, Change("keep_mode", KeptMode((0, 1), "mode 1")), Change("repulsion", 3.0))
    state = run(state, 4, Change("restart"))
    state = run(state, 6, Change("start_from", StartFrom(0, (1,), 0.1)))
    state = run(state, 4, Change("keep_mode", KeptMode((0,), "mode 2")), Change("forget_mode", 0))
    path = export(state, Shown("averages"), tmp_path / "a.png").path
    assert "pictures" not in read_recipe(path).data
    found = compare(path)
    assert found is not None and found.identical


def test_a_mode_that_was_found_earlier_travels_inside(tmp_path):
    state, lenet_four = opened(), Neuron("fc3", 4)
    pixels = state.lane.chains.x[0].half().float()
    kept = KeptPicture(pixels, "mode 1", origin_of(lenet_four))
    state = run(state, 3, Change("neurons", (lenet_four,)), Change("picture", kept))
    state = run(state, 5, Change("repulsion", 10.0))
    found = compare(export(state, Shown("raw"), tmp_path / "a.png").path)
    assert found is not None and found.identical
