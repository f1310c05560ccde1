"""Contact sheets: a picture of every neuron, each from a session of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ldam_studio.engine.compute.device import choose
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets import drawing, settling
from ldam_studio.explore.sheets.folder import INDEX, SheetFolder, read_index
from ldam_studio.explore.sheets.making import DOING, Made, caption, make, write_page
from ldam_studio.explore.sheets.ordering import by_similarity, ordered
from ldam_studio.explore.sheets.rows import SheetRow
from ldam_studio.explore.sheets.spec import SheetSpec, file_name, fitting, neurons_in
from ldam_studio.explore.sheets.starting import kept_picture
from ldam_studio.export.cells import Cell
from ldam_studio.export.contact_sheet import MOST_TEXT, Page, centred, fitted_to
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read
from ldam_studio.export.replay import compare
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.progress import Listener, Stage, Stopped
from ldam_studio.sampler.settings import Settings


def spec_of(numbers: tuple[int, ...] = (0, 1), layer: str = "conv1", **values) -> SheetSpec:
    network = open_network("lenet")
    settings = Settings.of(temperature=0.001, burn_in=0, l2=0.1)
    base = SheetSpec(
        network,
        neurons_in(network, layer, numbers),
        settings,
        choose("cpu", "float32"),
        chains=2,
        steps=40,
        seed=3,
    )
    return replace(base, **values)


def made_in(folder: Path, spec: SheetSpec) -> list[Made]:
    return list(make(spec, SheetFolder(spec, folder)))


def strided(side: int = 64) -> Network:
    """A network whose first layer sees 5 x 5 of its pixels, and takes images of any size."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 5),
            nn.ReLU(),
            nn.Conv2d(6, 4, 3, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    return Network("strided", module.eval(), PixelSpec(3, side, side, (0.5,) * 3, (0.5,) * 3, 0.5))


# Neurons


def test_a_neurons_picture_depends_neither_on_the_others_nor_on_their_order(tmp_path):
    alone = {m.neuron: m.picture for m in made_in(tmp_path / "a", spec_of((4,)))}
    several = {m.neuron: m.picture for m in made_in(tmp_path / "b", spec_of((2, 4, 0)))}
    four = Neuron("conv1", 4)
    assert (alone[four] == several[four]).all()
    files = [(tmp_path / folder / file_name(four)).read_bytes() for folder in "ab"]
    assert files[0] == files[1]


def test_every_picture_and_the_page_replay_to_the_same_pixels(tmp_path):
    spec = spec_of((0, 3, 5), steps=30)
    made = made_in(tmp_path / "sheet", spec)
    write_page(spec, made, "activation", tmp_path / "page.png")
    page = compare(tmp_path / "page.png")
    assert page is not None
    assert page.identical
    assert page.steps == page.replayed == sum(one.row.steps for one in made)
    for one in made:
        own = compare(tmp_path / "sheet" / file_name(one.neuron))
        assert own is not None
        assert own.identical


def test_a_page_is_shown_in_its_order(tmp_path):
    spec = spec_of((0, 1, 2), steps=20)
    made = made_in(tmp_path / "sheet", spec)
    write_page(spec, made, "activation", tmp_path / "page.png")
    recipe, _picture = read(tmp_path / "page.png")
    sheet = recipe.said.sheet
    assert sheet is not None
    by_value = sorted(made, key=lambda one: -one.row.activation)
    assert [cell.neuron for cell in sheet.cells] == [one.row.neuron for one in by_value]
    assert [cell.caption for cell in sheet.cells] == [caption(one) for one in by_value]


def test_a_stopped_replay_compares_nothing(tmp_path):
    spec = spec_of((0, 1), steps=20)
    write_page(spec, made_in(tmp_path / "sheet", spec), "index", tmp_path / "page.png")
    assert compare(tmp_path / "page.png", on_step=lambda done, _total: done < 25) is None


def test_the_chain_of_the_highest_activation_is_shown(tmp_path):
    spec = spec_of((5,), "fc3", steps=25)
    drawn = drawing.draw(spec, spec.neurons[0], lambda: None)
    lane = drawn.state.lane
    values = lane.activation(lane.average.mean).tolist()
    assert drawn.row.chain == values.index(max(values))
    assert drawn.row.activation == pytest.approx(max(values), rel=1e-4)


# Convergence


def test_a_picture_that_stands_still_converges_early(tmp_path):
    spec = spec_of((1,), steps=500, settings=Settings.of(temperature=0.0, burn_in=0, l2=0.1))
    (one,) = made_in(tmp_path, spec)
    assert one.row.converged
    assert one.row.steps < 200


def test_a_picture_that_keeps_moving_stops_at_the_limit_and_says_so(tmp_path):
    spec = spec_of((1,), settings=Settings.of(temperature=50.0, burn_in=0, window=2), steps=60)
    (one,) = made_in(tmp_path, spec)
    assert not one.row.converged
    assert one.row.steps == 60
    assert one.row.state == "not converged"
    assert caption(one).endswith(" ~")


def test_what_is_not_burned_in_has_not_converged(tmp_path):
    spec = spec_of((1,), steps=60, settings=Settings.of(temperature=0.0, burn_in=50))
    (one,) = made_in(tmp_path, spec)
    assert one.row.steps == 60


def test_a_silent_neuron_is_marked(tmp_path):
    network = strided(24)
    network.module[0].weight.data[2] = 0
    network.module[0].bias.data[2] = -1
    spec = spec_of(network=network, neurons=(Neuron("1", 2),), steps=60)
    (row,) = [drawing.draw(spec, neuron, lambda: None).row for neuron in spec.neurons]
    assert row.silent
    assert not row.converged
    assert row.state.startswith("no gradient")


def test_equal_averages_agree_and_opposite_ones_do_not():
    spec = spec_of((0,), chains=2)
    lane = drawing.draw(spec, spec.neurons[0], lambda: None).state.lane
    pattern = torch.randn(1, 28, 28)
    rest = lane.network.pixels.rest

    def agreeing(*signs: float) -> float | None:
        mean = torch.stack([rest + sign * pattern for sign in signs])
        return settling.agreement(replace(lane, average=replace(lane.average, mean=mean)))

    assert agreeing(1, 2) == pytest.approx(1)
    assert agreeing(1, -1) == pytest.approx(-1)
    assert agreeing(1) is None


# What neurons see


def test_neurons_that_see_little_have_small_images_and_cropped_pictures(tmp_path):
    network = strided(128)
    neurons = neurons_in(network, "0", (0,))
    settings = fitting(network, neurons, Settings.of(burn_in=0))
    assert settings.resolution == 32
    spec = spec_of(network=network, neurons=neurons, settings=settings, steps=20)
    drawn = drawing.draw(spec, neurons[0], lambda: None)
    assert drawn.state.lane.chains.x.shape[-1] == 32
    folder = SheetFolder(spec, tmp_path)
    assert folder.add(neurons[0], drawn).shape == (5, 5, 3)
    _recipe, enlarged = read(folder.path(neurons[0]))
    assert enlarged.shape == (110, 110, 3)


@pytest.mark.parametrize("values", [{"resolution": 96}, {}])
def test_a_resolution_that_was_chosen_stays(values):
    network = strided(128)
    neurons = neurons_in(network, "5", (0,)) if not values else neurons_in(network, "0", (0,))
    settings = Settings.of(**values)
    assert fitting(network, neurons, settings).resolution == settings.resolution


def test_a_network_of_one_size_keeps_it():
    network = open_network("lenet")
    neurons = neurons_in(network, "conv1", (0,))
    assert fitting(network, neurons, Settings()).resolution == 0


def test_a_small_picture_is_put_where_the_neuron_sees_it(tmp_path):
    network = strided(128)
    neurons = neurons_in(network, "0", (0,))
    settings = fitting(network, neurons, Settings.of(burn_in=0, clamp=True))
    spec = spec_of(network=network, neurons=neurons, settings=settings, steps=20)
    folder = SheetFolder(spec, tmp_path)
    list(make(spec, folder))
    picture = folder.picture(neurons[0])
    assert picture is not None
    kept = kept_picture(spec, neurons[0], picture)
    assert kept is not None
    top, left, bottom, right = network.receptive_field("0")
    drawn = drawing.draw(spec, neurons[0], lambda: None)
    mean = drawn.state.lane.average.mean[drawn.row.chain]
    t, le, b, r = drawn.state.lane.targets.fields[0]
    assert torch.allclose(kept.pixels[:, top:bottom, left:right], mean[:, t:b, le:r], atol=1 / 255)
    outside = kept.pixels.clone()
    outside[:, top:bottom, left:right] = 0.5
    assert bool((outside == 0.5).all())


def test_a_whole_picture_is_kept_as_it_is_and_distances_are_not(tmp_path):
    spec = spec_of((2,), "fc3", settings=Settings.of(temperature=0.001, burn_in=0, clamp=True))
    folder = SheetFolder(spec, tmp_path)
    list(make(spec, folder))
    picture = folder.picture(spec.neurons[0])
    assert picture is not None
    kept = kept_picture(spec, spec.neurons[0], picture)
    assert kept is not None
    assert kept.shape == (1, 28, 28)
    level = torch.from_numpy(picture[..., 0].copy()) / 255
    assert torch.allclose(kept.pixels[0], level, atol=1e-6)
    assert kept_picture(replace(spec, display="signed"), spec.neurons[0], picture) is None


# The folder


def test_a_stopped_sheet_goes_on_where_it_was(tmp_path, monkeypatch):
    spec = spec_of((0, 1, 2))
    first = SheetFolder(spec, tmp_path)
    began: list[str] = []
    true_draw = drawing.draw

    def draw(spec, neuron, on_step):
        began.append(str(neuron))
        return true_draw(spec, neuron, on_step)

    monkeypatch.setattr("ldam_studio.explore.sheets.making.draw", draw)
    one_done = Stage(DOING, 1, 3)
    listener = Listener(lambda stage: listener.stop() if stage == one_done else None)
    with pytest.raises(Stopped), listener.heard_on():
        list(make(spec, first))
    assert [row.neuron for row in read_index(tmp_path).neurons] == ["conv1:0"]
    made = made_in(tmp_path, spec)
    assert began == ["conv1:0", "conv1:1", "conv1:1", "conv1:2"]
    assert [one.row.neuron for one in made] == ["conv1:0", "conv1:1", "conv1:2"]
    assert [one.number for one in made] == [0, 1, 2]


def test_a_picture_that_is_gone_or_another_is_drawn_again(tmp_path):
    spec = spec_of((0, 1))
    before = made_in(tmp_path, spec)
    zero, one = (tmp_path / file_name(neuron) for neuron in spec.neurons)
    kept = one.read_bytes()
    zero.unlink()
    one.write_bytes(zero.read_bytes() if zero.exists() else b"no picture")
    after = {m.neuron: m.picture for m in made_in(tmp_path, spec)}
    assert one.read_bytes() == kept
    for m in before:
        assert (after[m.neuron] == m.picture).all()
    zero.write_bytes(kept)  # the picture of another neuron
    assert SheetFolder(spec, tmp_path).picture(spec.neurons[0]) is None


def test_more_neurons_are_added_to_a_sheet(tmp_path):
    made_in(tmp_path, spec_of((0,)))
    assert len(made_in(tmp_path, spec_of((0, 1)))) == 2
    assert len(read_index(tmp_path).neurons) == 2


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"chains": 3}, "chains"),
        ({"settings": Settings.of(temperature=0.002, burn_in=0, l2=0.1)}, "temperature"),
        ({"neurons": (Neuron("fc2", 0),)}, "neurons"),
    ],
)
def test_a_folder_with_another_sheet_is_refused(other, named, tmp_path):
    made_in(tmp_path, spec_of((0,), steps=10))
    with pytest.raises(StudioError, match=f"another contact sheet, which differs in {named};"):
        SheetFolder(spec_of((0,), **{"steps": 10, **other}), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"format": 7, "version": "", "sheet": {}, "neurons": []}',
        '{"format": 1, "version": "", "sheet": {}, "neurons": [{"neuron": 3}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_index_is_a_sentence(text, tmp_path):
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(StudioError, match="no index of a contact sheet, or damaged"):
        SheetFolder(spec_of(), tmp_path)


def test_the_index_says_what_it_found_and_names_nobody(tmp_path):
    (one,) = made_in(tmp_path, spec_of((3,)))
    index = json.loads((tmp_path / INDEX).read_text())
    (row,) = index["neurons"]
    assert row["neuron"] == "conv1:3"
    assert row["activation"] == one.row.activation
    assert row.keys() >= {"converged", "steps", "chain", "agreement", "label"}
    assert str(tmp_path) not in (tmp_path / INDEX).read_text()


def test_file_names_are_plain_and_differ():
    layer = "features.3/a b"
    neurons = [
        Neuron("fc3", 4),
        Neuron("fc3", 4, sign=-1),
        Neuron("fc3", 4, "mean"),
        Neuron(layer, 1),
        Neuron("features.3-a b", 1),
        Neuron("x" * 300, 12),
        Neuron("x" * 300, 13),
    ]
    names = [file_name(neuron) for neuron in neurons]
    assert names[0] == "fc3-4.png"
    assert len(set(names)) == len(names)
    assert all(len(name) < 150 and "/" not in name and " " not in name for name in names)


# Orders


def row_of(number: int, activation: float = 1.0, **values) -> SheetRow:
    standard = {"converged": True, "silent": False, "steps": 100, "chain": 0}
    return SheetRow(f"a:{number}", f"a:{number}", activation, **{**standard, **values})


def test_the_orders():
    rows = [
        row_of(0, 1.0, steps=200),
        row_of(1, 9.0, converged=False, steps=300),
        row_of(2, 5.0),
        row_of(3, 99.0, silent=True, converged=False),
    ]
    pictures = [np.zeros((4, 4, 3), np.uint8)] * 4
    assert ordered("index", rows, pictures) == [0, 1, 2, 3]
    assert ordered("activation", rows, pictures) == [1, 2, 0, 3]
    assert ordered("convergence", rows, pictures) == [2, 0, 1, 3]


def test_similar_pictures_are_neighbours_and_moved_stripes_are_similar():
    across = np.tile(np.arange(32)[:, None] // 4 % 2 * 255, (1, 32))
    kinds = [across, across.T]
    pictures = [
        np.repeat(np.roll(kinds[number % 2], 4 * (number // 2 % 2), (0, 1))[..., None], 3, 2)
        for number in range(8)
    ]
    order = by_similarity([picture.astype(np.uint8) for picture in pictures])
    assert sorted(order) == list(range(8))
    assert {number % 2 for number in order[:4]} in ({0}, {1})


def test_equal_and_grey_pictures_have_an_order():
    grey = np.full((5, 5, 3), 128, np.uint8)
    black = np.zeros((7, 7, 3), np.uint8)
    for pictures in ([grey] * 4, [black] * 3, [grey, black, grey], [grey]):
        assert sorted(by_similarity(pictures)) == list(range(len(pictures)))


# The page


def test_pictures_fill_their_cells():
    small, large = np.zeros((19, 19, 3), np.uint8), np.zeros((224, 200, 3), np.uint8)
    assert fitted_to(small, 112).shape == (95, 95, 3)
    assert fitted_to(large, 112).shape == (112, 100, 3)
    assert centred(small, (20, 24)).shape == (20, 24, 3)


def test_long_words_do_not_widen_a_page():
    picture = np.zeros((4, 4, 3), np.uint8)
    cells = [Cell(f"a:{number}", 1, 0, "x" * 999) for number in range(64)]
    page = Page("t" * 999, cells, [picture] * len(cells)).drawn()
    assert page.shape[1] < 64 * 140


def test_a_recipe_that_is_too_long_is_a_sentence(tmp_path):
    spec = spec_of((0,), steps=5)
    name = "n" * 1000
    cells = [Cell(name, 1, 0, "") for _ in range(MOST_TEXT // 1000)]
    page = Page("t", cells, [])
    picture = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(StudioError, match="too many neurons"):
        page.recipe(drawing.shared_state(spec), spec.shown, picture, tmp_path)


@pytest.mark.parametrize(
    "forged",
    [
        {"cells": [["nobody", 5, 0, ""]]},
        {"cells": [["fc3:0", 0, 0, ""]]},
        {"cells": [["conv1:0", 5, 7, ""]]},
        {"cells": [["conv1:0", -5, 0, ""]]},
        {"cells": [["conv1:0", 5, 0, "", 3]]},
        {"cells": []},
        {"cells": 3},
        {},
        7,
    ],
)
def test_a_forged_sheet_is_a_sentence(forged, tmp_path):
    spec = spec_of((0,), steps=10)
    path = tmp_path / "page.png"
    write_page(spec, made_in(tmp_path / "sheet", spec), "index", path)
    recipe, picture = read(path)
    sheet = {"title": "t", **forged} if isinstance(forged, dict) else forged
    path.write_bytes(png.encode(picture, recipe.having(sheet=sheet)))
    with pytest.raises(StudioError):
        compare(path)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"neurons": ()}, "at least one neuron"),
        ({"neurons": tuple(Neuron("fc3", n) for n in range(5000))}, "at most 4,096 neurons"),
        ({"chains": 0}, "1 to 64 chains"),
        ({"settings": Settings.of(thin=41)}, "no sample"),
    ],
)
def test_a_sheet_that_cannot_be_is_a_sentence(values, says):
    with pytest.raises(StudioError, match=says):
        spec_of(**values)
