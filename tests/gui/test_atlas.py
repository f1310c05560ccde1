"""Atlases in the window: opened by menu, drop and name, read without end in view, and clicked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog

from gui.windows import CPU, PATIENCE_MS, click, files, lenet, until
from ldam_studio.atlas.browsing import Found, Table, files_in, index_of
from ldam_studio.atlas.folder import INDEX, key_of, relative_path
from ldam_studio.atlas.pictures import ROW, AtlasRow, files_of, row_of
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import draw
from ldam_studio.explore.sheets.making import activation_words
from ldam_studio.explore.sheets.spec import SheetSpec, neurons_in
from ldam_studio.gui.app.application import opening_of
from ldam_studio.gui.app.start import Start
from ldam_studio.gui.atlas import cells
from ldam_studio.gui.atlas.feature import Atlases
from ldam_studio.gui.atlas.loading import Loader
from ldam_studio.gui.neuron_grid.grid import STATE, THUMBNAIL
from ldam_studio.gui.opening.picture_view import PictureView
from ldam_studio.sampler.settings import Settings

SEED = 7
DRAWN = {"conv1": (0, 1, 5), "fc3": (2, 3)}


def write_index(folder: Path, layers=tuple(DRAWN), **other) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    index = {"format": 1, "version": "0", "atlas": {"network": "lenet"}, "layers": layers}
    (folder / INDEX).write_text(json.dumps(index | other))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Give the folder of a small atlas, which no test may change."""
    folder = tmp_path_factory.mktemp("atlases") / "of lénet"
    write_index(folder)
    for layer, numbers in DRAWN.items():
        spec = SheetSpec(
            network=lenet(),
            neurons=neurons_in(lenet(), layer, numbers),
            settings=Settings.of(temperature=0.001, burn_in=0),
            device=CPU,
            chains=2,
            steps=20,
            seed=SEED,
        )
        for neuron in spec.neurons:
            made = draw(spec, neuron, lambda: None)
            path = folder / relative_path(neuron, key_of("a", neuron))
            row = row_of(made, layer, key_of("a", neuron))
            for each, data in files_of(made, row, spec.shown, path).items():
                each.parent.mkdir(exist_ok=True)
                each.write_bytes(data)
    return folder


@pytest.fixture
def folder(drawn, tmp_path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "mine"))


def picture_of(folder: Path, layer: str, number: int) -> Path:
    return next((folder / layer).glob(f"{layer}-{number}-*.png"))


def opened(window, qtbot, folder: Path) -> Atlases:
    feature = window.feature(Atlases)
    feature.open(folder)
    until(qtbot, lambda: feature._reading is None)
    return feature


def captions(feature: Atlases) -> list[str]:
    shown = feature.dialog.cells
    return [shown.index(row).data() for row in range(shown.rowCount())]


def names(feature: Atlases) -> list[str]:
    """Return the first lines of captions."""
    return [caption.partition("\n")[0] for caption in captions(feature)]


def choose(box, text: str) -> None:
    box.setCurrentIndex(next(i for i in range(box.count()) if box.itemText(i).startswith(text)))
    box.activated.emit(box.currentIndex())


def test_an_atlas_is_shown_searched_and_sorted(studio, qtbot, drawn, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(drawn))
    entries = [action.text() for action in studio.places.menu("File").actions()]
    assert entries[entries.index("Open File…") + 1] == "Open Atlas…"
    studio.actions_by_name["open_atlas"].trigger()
    feature = studio.feature(Atlases)
    until(qtbot, lambda: feature._read is not None)
    dialog = feature.dialog
    assert dialog.title.text() == "lenet"
    assert dialog.title.toolTip() == str(drawn)
    assert names(feature) == ["conv1:0", "conv1:1", "conv1:5", "fc3:2", "fc3:3"]
    assert dialog.words.text().startswith("5 neurons, 5 not converged (~). Click one")
    row = dialog.cells.found_at(dialog.cells.index(4)).row
    assert captions(feature)[4] == f"fc3:3\n{activation_words(row.activation)} ~"
    assert [dialog.layers.itemText(i) for i in range(3)] == ["All layers", "conv1 (3)", "fc3 (2)"]

    choose(dialog.order, "Activation")
    values = [dialog.cells.found_at(dialog.cells.index(i)).row.activation for i in range(5)]
    assert values == sorted(values, reverse=True)
    choose(dialog.order, "Number")
    choose(dialog.layers, "conv1")
    assert [caption.split()[0] for caption in captions(feature)] == ["0", "1", "5"]
    dialog.search.setText("5")
    until(qtbot, lambda: dialog.cells.rowCount() == 1)
    dialog.search.setText("nothing like it")
    until(qtbot, lambda: dialog.cells.rowCount() == 0)
    assert "has “nothing like it” in its address" in dialog.grid._empty

    first = dialog.cells.index(0)
    dialog.search.clear()
    until(qtbot, lambda: dialog.cells.index(0).data(THUMBNAIL) is not None)
    first = dialog.cells.index(0)
    assert first.data(THUMBNAIL).width() > 28
    assert first.data(Qt.ItemDataRole.ToolTipRole).startswith("conv1:0\nActivation ")


def test_a_click_opens_the_neuron_with_its_recipe(studio, qtbot, drawn):
    feature = opened(studio, qtbot, drawn)
    dialog = feature.dialog
    rect = dialog.grid.visualRect(dialog.cells.index(2))
    qtbot.mouseClick(dialog.grid.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    until(qtbot, lambda: {str(n) for n in studio.model.outline.lane.neurons} == {"conv1:5"})
    assert studio.model.outline.seed == SEED
    assert studio.model.chains == 2
    assert not dialog.isVisible()
    assert "conv1:5, from its start." in studio.banner.texts()
    click(studio.banner, "Back to the Atlas")
    assert dialog.isVisible() and dialog.cells.rowCount() == 5
    dialog.close()
    click(studio.banner, "Its Picture")  # which is still offered
    until(qtbot, lambda: studio.findChild(PictureView) is not None)
    studio.actions_by_name["show_atlas"].trigger()
    assert dialog.isVisible()


def test_what_is_said_of_a_neuron_covers_no_heading(studio, qtbot, drawn):
    studio.resize(1366, 768)
    assert not studio.actions_by_name["show_atlas"].isEnabled()
    feature = opened(studio, qtbot, drawn)
    found = feature.dialog.cells.found_at(feature.dialog.cells.index(0))
    found = replace(found, row=_row("layer3.1.conv2.whatever:17"))
    opening = replace(studio.controller.current, title="squeezenet1_1 of another")
    feature._open_session(found, opening)
    until(qtbot, lambda: studio.model.is_open)
    assert studio.banner.texts() == ("layer3.1.co…ver:17, from its start.",)
    (row,) = studio.banner._rows.values()
    assert row._grid.indexOf(row._buttons) >= 0
    assert row._grid.getItemPosition(row._grid.indexOf(row._buttons))[0] == 0  # beside the words


def test_damaged_files_are_counted_and_the_rest_is_shown(studio, qtbot, folder):
    whole = picture_of(folder, "conv1", 0)
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])  # cut off
    other = picture_of(folder, "conv1", 1)
    other.write_bytes(other.read_bytes().replace(ROW.encode(), ROW.upper().encode()))
    (folder / "fc3" / "a picture.png").write_bytes(b"none")
    feature = opened(studio, qtbot, folder)
    assert names(feature) == ["conv1:5", "fc3:2", "fc3:3"]
    assert feature.dialog.note.text().startswith("3 of 6 files are damaged and left out; ")


def test_an_atlas_that_is_drawn_meanwhile_grows(studio, qtbot, folder):
    later = folder / "fc3"
    later.rename(folder / "later")
    feature = opened(studio, qtbot, folder)
    assert names(feature) == ["conv1:0", "conv1:1", "conv1:5"]
    choose(feature.dialog.layers, "fc3")
    assert feature.dialog.grid._empty == "No neuron of fc3 is drawn yet."
    (folder / "later").rename(later)
    feature._grows.timeout.emit()
    until(qtbot, lambda: feature.dialog.cells.rowCount() == 2)
    assert feature.dialog.layers.itemText(2) == "fc3 (2)"
    shutil.rmtree(folder)
    until(qtbot, lambda: feature._reading is None)
    feature._grows.timeout.emit()
    until(qtbot, lambda: feature.dialog.note.text().endswith("ldam-studio atlas wrote."))
    assert not feature._grows.isActive()


def test_reading_stops_and_goes_on(studio, qtbot, drawn):
    feature = studio.feature(Atlases)
    feature.open(drawn)
    until(qtbot, lambda: feature.dialog is not None and feature.dialog.isVisible())
    feature.dialog.stop_asked.emit()
    assert feature._reading is None
    assert feature.dialog.stop.text() == "Go On Reading"
    qtbot.mouseClick(feature.dialog.stop, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: not feature.dialog.stop.isVisible())
    assert feature._read is not None
    assert feature.dialog.cells.rowCount() == 5


def test_a_look_for_further_neurons_that_is_cut_short_says_nothing(studio, qtbot, drawn):
    feature = opened(studio, qtbot, drawn)
    feature._grows.timeout.emit()
    assert feature._reading is not None
    feature.dialog.hide()
    assert feature._reading is None
    feature.dialog.come_forward()
    assert not feature.dialog.stop.isVisible()


def test_a_hidden_window_loads_no_pictures(studio, qtbot, drawn):
    feature = opened(studio, qtbot, drawn)
    dialog = feature.dialog
    until(qtbot, lambda: dialog.cells.index(0).data(THUMBNAIL) is not None)
    feature.leave()
    assert not dialog.isVisible()
    assert dialog.cells.table.found and dialog.loader._task is None
    dialog.cells.begin(["conv1"])
    dialog.cells.table.add([Found(picture_of(drawn, "conv1", 0), _row("conv1:0"))])
    dialog.arrange()
    dialog._load_later.timeout.emit()
    assert dialog.loader._task is None
    dialog.come_forward()
    until(qtbot, lambda: dialog.cells.index(0).data(THUMBNAIL) is not None)


def test_pictures_of_an_atlas_that_was_left_do_not_arrive_later(qtbot, qapp, drawn):
    loader, heard = Loader(qapp), []
    loader.loaded.connect(heard.append)
    loader.want([(0, picture_of(drawn, "conv1", 0))])
    assert loader._task.wait(PATIENCE_MS)
    loader.leave()
    qapp.processEvents()
    assert heard == []
    loader.want([(0, picture_of(drawn, "conv1", 0))])
    until(qtbot, lambda: heard != [])
    loader.deleteLater()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is no folder of an atlas, since it has no atlas.json"),
        ({"format": 99}, "is from a later version of LDAM Studio"),
        ({"layers": 3}, "is no index of an atlas, or damaged"),
    ],
)
def test_a_folder_that_is_no_atlas_is_a_sentence(studio, qtbot, tmp_path, content, words):
    if content is not None:
        write_index(tmp_path, **content)
    feature = opened(studio, qtbot, tmp_path)
    assert feature.dialog is None
    assert any(words in text for text in studio.banner.texts())


def test_an_atlas_without_neurons_says_so(studio, qtbot, tmp_path):
    write_index(tmp_path)
    dialog = opened(studio, qtbot, tmp_path).dialog
    assert dialog.words.text() == "No neurons"
    assert dialog.grid._empty.startswith("No neuron is drawn yet.")


@pytest.mark.parametrize("name", ["", INDEX, "index.html"])
def test_an_atlas_is_opened_by_drop_and_by_name(studio, qtbot, folder, name):
    (folder / "index.html").touch()
    files(studio).open(folder / name)
    feature = studio.feature(Atlases)
    until(qtbot, lambda: feature._read is not None)
    assert feature.dialog.cells.rowCount() == 5


def test_the_command_line_names_an_atlas(drawn, tmp_path):
    assert opening_of(Start(CPU, file=drawn)) is None
    with pytest.raises(StudioError, match="is no folder of an atlas"):
        opening_of(Start(CPU, file=tmp_path))


def test_thumbnails_in_memory_are_few(drawn, monkeypatch):
    monkeypatch.setattr(cells, "MOST_THUMBNAILS", 2)
    model = cells.AtlasCells()
    model.begin(index_of(drawn).layers)
    rows = [_row(f"conv1:{number}") for number in range(6)]
    model.table.add([Found(Path(row.neuron), row) for row in rows])
    model.arrange("index")
    for number in range(6):
        model.keep([(number, None)], range(number, number))
    assert [number for number, _path in model.missing(range(6))] == [0, 1, 2, 3]
    assert model.index(5).data(STATE) == "damaged"
    assert model.index(0).data(STATE) == ""


def test_a_caption_says_what_there_is_to_trust():
    model = cells.AtlasCells()
    model.begin(["conv1"])
    rows = [
        _row("conv1:0", activation=4.5),
        _row("conv1:1", activation=4.5, converged=False),
        _row("conv1:2", activation=0, converged=False, silent=True),
    ]
    model.table.add([Found(Path(row.neuron), row) for row in rows])
    for layer, names in ((None, "conv1:{}\n"), ("conv1", "{}  ")):
        model.arrange("index", layer)
        shown = [model.index(row).data() for row in range(3)]
        values = ("4.5", "4.5 ~", "silent")
        assert shown == [names.format(i) + value for i, value in enumerate(values)]
    assert model.table.states() == (1, 1)


def _row(neuron: str, layer: str = "conv1", **values) -> AtlasRow:
    given = {
        "neuron": neuron, "label": neuron, "activation": 1.0, "converged": True, "silent": False,
        "steps": 20, "chain": 0, "layer": layer, "key": "k", "modes": 1,
    }  # fmt: skip
    return AtlasRow(**given | values)


def test_neurons_are_sorted_as_is_said():
    rows = [
        _row("b:2", "b", activation=5, modes=2, converged=False),
        _row("b:10", "b", activation=1, steps=10, label="Cat"),
        _row("a:0", "a", activation=9, silent=True),
        _row("-b:1", "b", activation=3, modes=3),
        _row("c:0", "c"),
    ]
    table = Table(["a", "b"])
    table.add([Found(Path(row.neuron), row) for row in rows])
    assert table.layers == ["a", "b", "c"]
    assert table.counts() == {"a": 1, "b": 3, "c": 1}
    assert table.states() == (1, 1)

    def names(*given) -> list[str]:
        return [rows[i].neuron for i in table.arranged(*given)]

    assert names("index") == ["a:0", "-b:1", "b:2", "b:10", "c:0"]
    assert names("activation") == ["b:2", "-b:1", "b:10", "c:0", "a:0"]
    assert names("convergence") == ["b:10", "-b:1", "c:0", "b:2", "a:0"]
    assert names("modes", "b") == ["-b:1", "b:2", "b:10"]
    assert names("index", None, "cAT") == ["b:10"]
    assert names("index", "a", "b") == []


def test_files_come_in_the_order_of_their_numbers(tmp_path):
    names = ["conv1-2-0f.png", "conv1-10-00.png", "conv1-100-9.png", "conv1-b-1.png"]
    (tmp_path / "conv1").mkdir()
    for name in (*reversed(names), ".conv1-3-0.png", "conv1-4-0.txt"):
        (tmp_path / "conv1" / name).touch()
    assert [path.name for path in files_in(tmp_path, ["conv1", "fc3"])] == names
