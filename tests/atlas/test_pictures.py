"""The picture of a neuron in an atlas: it replays, is whole, and is known by its name."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from atlas_folders import chunk, picture, png_of, row, write_neuron
from ldam_studio.atlas import pictures, worker
from ldam_studio.atlas.folder import found_at
from ldam_studio.atlas.making import jobs_of
from ldam_studio.atlas.orders import Order
from ldam_studio.atlas.pictures import opened_picture, read_row, row_in, samples_in
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import draw
from ldam_studio.explore.sheets.together import draw_together
from ldam_studio.export.formats.table import read
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import picture_of
from ldam_studio.files import write_bytes
from ldam_studio.networks.neurons import Neuron

pytestmark = pytest.mark.usefixtures("as_worker")


def test_a_file_replays_and_says_what_there_is_to_say(jobs, folder, network):
    (drawn,) = [worker.draw_batch(jobs[2:], folder.folder, collect=False)]
    path = folder.path(jobs[2].neuron, jobs[2].key)
    row = read_row(path)
    assert drawn.rows == (row,)
    assert (row.neuron, row.layer, row.steps) == ("conv1:4", "conv1", 20)
    assert 1 <= row.modes <= 2
    recipe, _ = read(path)
    assert compare(path).identical
    assert recipe.said.end.lanes[0].network.sha256 == network.provenance.sha256
    samples = samples_in(opened_picture(path))
    assert samples is not None and samples.shape == (110, 220, 3)


def test_a_neurons_file_does_not_depend_on_its_batch(jobs, folder, monkeypatch):
    drawn = []

    def measure(_spec, neurons, known):
        known.most = 8

    def together(spec, neurons, known):
        drawn.append(draw_together(spec, neurons, known))
        return dict(drawn[-1])

    monkeypatch.setattr(worker, "measure", measure)
    monkeypatch.setattr(worker, "draw_together", together)
    batch = worker.draw_batch(jobs, folder.folder, collect=True)
    assert not list(folder.folder.rglob("*.png"))
    for job in jobs:
        ((path, data),) = worker.draw_batch([job], folder.folder, collect=True).files.items()
        assert batch.files[path] == data
        write_bytes(folder.folder / path, data)
        assert compare(folder.folder / path).identical
    if not drawn[0]:
        pytest.skip("this processor rounds otherwise for more images")
    assert drawn[0].keys() == {job.neuron for job in jobs}


def test_names_follow_recipe_weights_and_address(network, order):
    zero = (Neuron("conv1", 0),)

    def key(order: Order, neurons=zero) -> str:
        return next(jobs_of(network, order, neurons)).key

    others = [
        key(order),
        key(order, (Neuron("conv1", 1),)),
        key(replace(order, steps=21)),
        key(replace(order, seed=4)),
        key(replace(order, settings=order.settings.with_values({"l2": 0.2}))),
    ]
    assert len(set(others)) == len(others)
    assert key(order, (*zero, Neuron("conv1", 5))) == key(order)


def test_a_whole_file_is_known_by_its_seal_and_a_damaged_one_is_found(jobs, folder, monkeypatch):
    ((path, data),) = worker.draw_batch(jobs[2:], folder.folder, collect=True).files.items()
    path = folder.folder / path
    seal = data.index(b"seAL") - 4

    def said(content: bytes) -> str:
        write_bytes(path, content)
        try:
            return str(found_at(path, jobs[2].neuron, jobs[2].key))
        except StudioError as error:
            return f"damaged: {error}"

    whole = said(data[:seal] + data[-12:])  # without its seal, pixels and recipe are compared
    assert "conv1:4" in whole and not whole.startswith("damaged")
    cut = [data[:length] for length in (0, 8, len(data) // 2, seal, len(data) - 1)]
    middle, recipe = len(data) // 3, data.index(b"ldam-recipe") + 400
    for place in (middle, recipe, data.index(b"IDAT") + 40, len(data) - 6):
        cut.append(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    assert all(said(content).startswith("damaged: ") for content in cut)
    monkeypatch.setattr(pictures, "read", None)
    assert said(data) == whole


def test_a_picture_that_says_it_is_enormous_is_damaged(tmp_path):
    header = struct.pack(">IIBBBBB", 10**5, 10**5, 8, 2, 0, 0, 0)
    enormous = png_of(picture(0, 16))
    enormous = enormous[:8] + chunk(b"IHDR", header) + enormous[33:]
    path = write_neuron(tmp_path, row(Neuron("conv1", 0)), enormous, None)
    for reads in (read_row, opened_picture):
        with pytest.raises(StudioError, match=r"more pixels than any|is damaged"):
            reads(path)
    with path.open("r+b") as file:
        file.truncate(pictures.MOST_BYTES + 1)
    with pytest.raises(StudioError, match="such a file has at most"):
        read_row(path)
    path = write_neuron(tmp_path, row(Neuron("conv1", 0)), png_of(picture(0, 16)), enormous)
    assert samples_in(opened_picture(path)) is None
    told = png_of(picture(0, 16))
    path = write_neuron(tmp_path, row(Neuron("conv1", 0), modes=10**9), told, None)
    with pytest.raises(StudioError, match="no picture of an atlas"):
        row_in(opened_picture(path), path)


def test_a_picture_that_is_none_of_an_atlas_is_refused(tmp_path, network, order):
    from ldam_studio.export.exporting import export

    neuron = Neuron("conv1", 0)
    spec = order.spec(network, [neuron])
    drawn = draw(spec, neuron, lambda: None)
    path = tmp_path / "a.png"
    export(drawn.state, spec.shown, path)
    assert picture_of(drawn.state, spec.shown).shape == (5, 5, 3)
    with pytest.raises(StudioError, match="no picture of an atlas"):
        found_at(path, neuron, "key")
