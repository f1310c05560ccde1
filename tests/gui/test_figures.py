"""Figures for papers: text stays text, pixels stay exact, and the recipe travels in them."""

from __future__ import annotations

import io
import re
import threading
import zlib
from base64 import b64decode
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from gui.windows import CPU, click, files, lenet, paused, shown_picture, until
from ldam_studio.cli import main
from ldam_studio.engine.advance import advance
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.figure import _columns, _samples, figure_of, title_of
from ldam_studio.export.links import link_in, unpacked
from ldam_studio.export.shown import KINDS, Shown, can_show, parts_of
from ldam_studio.gui.exporting.figure_dialog import (
    ChosenFigure,
    FigureChoice,
    FigureDialog,
)
from ldam_studio.gui.exporting.figure_page import WRITERS, lay_out
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.progress import tell
from ldam_studio.sampler.settings import Settings

pytestmark = pytest.mark.usefixtures("qapp")  # there are no fonts without it

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
TITLE = "Three & four <of ten>, “é” − 0.5"


@pytest.fixture(scope="module")
def state():
    """Give ten classes after three steps."""
    spec = SessionSpec(lenet(), lenet().default_neurons(10), Settings.of(l2=0.5), 3, device=CPU)
    made = open_session(spec)
    for _ in range(3):
        made, _ = advance(made)
    return made


@pytest.fixture(scope="module")
def compared():
    """Give two networks with four chains each."""
    twin = open_network("lenet-averaged")
    beside = (LaneSpec(twin),)
    spec = SessionSpec(lenet(), lenet().default_neurons(4), seed=3, device=CPU, beside=beside)
    made, _ = advance(open_session(spec))
    return advance(made)[0]


def _written(state, shown, path, width=85, title=TITLE):
    figure = figure_of(state, shown, title)
    writer = WRITERS[path.suffix]
    export(state, shown, path, encode=lambda _, recipe: writer(figure, width, recipe))
    return path


def _texts(path):
    root = ElementTree.parse(path).getroot()
    return [text for each in root.iter(f"{SVG}text") if (text := (each.text or "").strip())]


def _images(path):
    for each in ElementTree.parse(path).getroot().iter(f"{SVG}image"):
        data = b64decode(each.attrib[HREF].partition(",")[2])
        yield np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _pdf_images(data):
    """Yield the images of a PDF file, which must be compressed without loss."""
    found = rb"<<[^>]*?/Subtype /Image\s+/Width (\d+)\s+/Height (\d+)(.*?)>>\s*stream\n"
    for match in re.finditer(found, data, re.DOTALL):
        width, height = int(match[1]), int(match[2])
        assert b"DCTDecode" not in match[3] and b"/Interpolate true" not in match[3]
        pixels = np.frombuffer(zlib.decompressobj().decompress(data[match.end() :]), np.uint8)
        yield pixels.reshape(height, width, -1)


@pytest.mark.parametrize("what", ["average", "raw", "strip", "averages"])
@pytest.mark.parametrize("display", ["signed", "image"])
def test_svg_has_text_and_every_pixel(state, tmp_path, what, display):
    shown = Shown(what, 3, display)
    path = _written(state, shown, tmp_path / "a.svg")
    (part,) = parts_of(state, shown)
    images = list(_images(path))
    assert len(images) == len(part.pictures) + 1  # and the scale
    for image, picture in zip(images, part.pictures, strict=False):
        zoom = image.shape[0] // 28
        assert np.array_equal(image, picture.repeat(zoom, 0).repeat(zoom, 1))
    texts = _texts(path)
    assert texts[0] == TITLE
    assert any("L2 weight 0.5" in text for text in texts)
    assert any(text.startswith("Step 3, seed 3.") for text in texts)
    if display == "signed" and len(part.scales) == 1:
        assert f"−{part.scales[0]:.3g}" in texts and f"{part.scales[0]:.3g}" in texts
    if len(part.scales) > 1:
        assert [str(digit) for digit in range(10)] == texts[1:11]


def test_pdf_has_its_fonts_and_every_pixel_and_is_cropped_to_the_figure(state, tmp_path):
    shown = Shown("raw", 3)
    data = _written(state, shown, tmp_path / "a.pdf").read_bytes()
    (part,) = parts_of(state, shown)
    image = max(_pdf_images(data), key=len)
    zoom = image.shape[0] // 28
    assert image.shape[0] / (85 / 25.4) > 290  # pixels in an inch
    assert np.array_equal(
        np.broadcast_to(image, (*image.shape[:2], 3)),
        part.pictures[0].repeat(zoom, 0).repeat(zoom, 1),
    )
    assert b"/FontFile2" in data and b"/ToUnicode" in data
    page = lay_out(figure_of(state, shown, TITLE), 85)
    box = [float(n) for n in re.search(rb"/MediaBox \[([^\]]*)\]", data)[1].split()]
    assert box[2] == pytest.approx(85 / 25.4 * 72, abs=1)
    assert box[3] == pytest.approx(page.height / 10, abs=1)


def test_two_networks_stand_beside_their_difference(compared, tmp_path):
    texts = _texts(_written(compared, Shown("average", 1), tmp_path / "a.svg", 175))
    for text in ("A  lenet", "B  lenet-averaged", "B − A", "difference, in pixel units"):
        assert text in texts
    page = lay_out(figure_of(compared, Shown("average", 1), ""), 175)
    assert len({place.top() for place, picture in page.pictures if len(picture) > 1}) == 1
    grids = figure_of(compared, Shown("averages"), "")
    assert [len(panel.pictures) for panel in grids.panels] == [4, 4, 4]


def test_nothing_leaves_the_page(state, compared):
    for session, shown in ((state, Shown("averages")), (compared, Shown("average"))):
        for width in (20, 400):
            figure = figure_of(session, shown, "a-title-without-any-space-in-it" * 9)
            page = lay_out(figure, width)
            places = [words.place for words in page.words] + [place for place, _ in page.pictures]
            assert all(place.right() <= page.width + 0.5 for place in places)
            assert max(place.bottom() for place in places) <= page.height


@pytest.mark.parametrize("suffix", [".pdf", ".svg"])
def test_a_figure_carries_its_recipe_and_is_replayed(state, tmp_path, suffix, capsys):
    path = _written(state, Shown("average", 3), tmp_path / f"a{suffix}")
    assert unpacked(link_in(path)).step == 3
    assert main(["replay", str(path)]) == 0
    assert "identical" in capsys.readouterr().out


def test_a_figure_without_a_recipe_is_one_sentence(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 ldam:1abc")
    with pytest.raises(StudioError, match="contains no recipe"):
        link_in(path)


def test_what_cannot_be_shown_is_known_before_anything_is_drawn(state):
    assert can_show(state, Shown("averages")) and not can_show(state, Shown("raw", 10))
    begun = open_session(SessionSpec(lenet(), lenet().default_neurons(2), device=CPU))
    assert [what for what in KINDS if can_show(begun, Shown(what))] == ["raw", "strip"]


def test_the_usual_title_names_the_neuron(state, compared):
    assert title_of(state, Shown("raw", 3)) == "Raw sample of class 3 (fc3:3)"
    assert title_of(compared, Shown("averages")) == "Running averages of 4 chains"


def test_the_notes_say_which_samples_the_average_covers(state):
    assert [_samples(*each) for each in ((1, 1, 0), (9, 2000, 0), (150, 150, 150))] == [
        "1 sample",
        "9 to 2,000 samples",
        "150 samples",
    ]
    assert _samples(2000, 2000, 150) == "last 150 of 2,000 samples"
    assert _samples(9, 2000, 150) == "at most the last 150 of 9 to 2,000 samples"
    lane = replace(state.lane, settings=Settings.of(window=2))
    figure = figure_of(replace(state, lanes=(lane,)), Shown("average", 3), "")
    assert figure.notes[0].endswith("; last 2 of 3 samples.")


def test_many_chains_fit_on_a_page(state):
    figure = figure_of(state, Shown("raw", 3), "")
    (panel,) = figure.panels
    for neurons in (["fc3:4"] * 1000, ["fc3:4", "fc3:5"] * 10):
        count, columns = len(neurons), _columns(neurons, (28, 28))
        assert columns % len(set(neurons)) == 0
        grid = replace(panel, pictures=panel.pictures * count, labels=("",) * count)
        page = lay_out(replace(figure, panels=(replace(grid, columns=columns),)), 175)
        assert page.height / page.width < 1.5
    assert _columns(["fc3:4", "fc3:5"] * 3, (28, 28)) == 2


def test_the_dialog_keeps_a_title_and_remembers_the_rest(state, qtbot, tmp_path):
    last = LastChoice(FigureChoice(folder=str(tmp_path)))
    titles = {what: title_of(state, Shown(what)) for what in ("average", "raw")}
    goes_on, threads = threading.Event(), set()

    def figure(what):
        threads.add(threading.current_thread())
        assert goes_on.wait(30)
        return figure_of(state, Shown(what), "") if what == "average" else None

    dialog = FigureDialog(titles, figure, last)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.choice() == ChosenFigure(
        "average", 85, "Running average of class 0 (fc3:0)", tmp_path / "figure-average.pdf"
    )
    dialog._title.clear()
    qtbot.keyClicks(dialog._title, "Mine")
    dialog._target.field.clear()
    qtbot.keyClicks(dialog._target.field, str(tmp_path / "mine.svg"))
    dialog._what.setCurrentIndex(1)
    dialog._width.setValue(175)
    goes_on.set()
    until(qtbot, lambda: dialog._preview.text() == "Too large for a preview")
    assert threading.main_thread() not in threads
    dialog._what.setCurrentIndex(0)
    until(qtbot, lambda: not dialog._preview.pixmap().isNull())
    assert dialog._preview.pixmap().height() == 280
    dialog._what.setCurrentIndex(1)
    dialog._accepted()
    until(qtbot, lambda: not STRAGGLERS)
    assert dialog.choice() == ChosenFigure("raw", 175, "Mine", tmp_path / "mine.svg")
    assert last.read() == FigureChoice("raw", 175, ".svg", str(tmp_path))


def test_from_the_window_and_back_into_it(studio, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "a.pdf"
    until(qtbot, lambda: studio.last_frame.step > 2)
    paused(studio, qtbot)
    chosen = ChosenFigure("raw", 85, TITLE, path)
    monkeypatch.setattr(FigureDialog, "ask", lambda _dialog: chosen)
    studio.actions_by_name["export_figure"].trigger()
    until(qtbot, lambda: "Saved" in "".join(studio.banner.texts()))
    files(studio).open(path)
    assert shown_picture(studio, qtbot).accessibleName() == "a.pdf"


def test_a_figure_is_cancelled_while_it_is_drawn(studio, qtbot, tmp_path, monkeypatch):
    begun, path = threading.Event(), tmp_path / "a.svg"

    def endless(*_args):
        begun.set()
        while True:
            tell("drawing the figure", 1, 2)

    monkeypatch.setattr(FigureDialog, "ask", lambda _dialog: ChosenFigure("raw", 85, "", path))
    monkeypatch.setitem(WRITERS, ".svg", endless)
    studio.actions_by_name["export_figure"].trigger()
    until(qtbot, begun.is_set)
    click(studio.banner, "Cancel")
    until(qtbot, lambda: not STRAGGLERS)
    assert studio.banner.texts() == (f"Saving {path} was stopped.",)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_written_is_one_sentence(studio, qtbot, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    chosen = ChosenFigure("raw", 85, "", tmp_path / "file" / "a.svg")
    monkeypatch.setattr(FigureDialog, "ask", lambda _dialog: chosen)
    studio.actions_by_name["export_figure"].trigger()
    until(qtbot, lambda: "cannot be written" in "".join(studio.banner.texts()))
