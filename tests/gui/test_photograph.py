"""A photograph in a tab: dropped, looked at, started from, pushed to a class."""

import numpy as np
import pytest
import torch
from PIL import Image
from PyQt6.QtWidgets import QLabel

from gui.windows import files, until
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.photograph.feature import Photographs
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training.data import load_digits_sheet


@pytest.fixture
def digit(tmp_path):
    """Give a three, as somebody wrote it on paper."""
    path = tmp_path / "three.jpg"
    image = 255 - load_digits_sheet().images[1700][0].numpy()
    Image.fromarray(image.astype(np.uint8)).resize((280, 280)).save(path)
    return path


def opened(window, qtbot, path):
    files(window).open(path)
    feature = window.feature(Photographs)
    until(qtbot, lambda: feature.panel is not None and feature.panel.units.topLevelItemCount() > 0)
    return feature


def state_of(window, qtbot):
    future = window.controller.ask(snapshot)
    until(qtbot, future.done)
    return future.result()


def test_a_dropped_photograph_shows_its_units(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    panel = feature.panel
    assert panel.isVisible() and panel.layers.currentText() == "fc3"
    assert panel.units.topLevelItem(0).text(0) == "3"
    assert feature.picture.inverted and feature.picture.shape == (1, 28, 28)
    panel.layers.setCurrentIndex(panel.layers.findText("conv2"))
    row = panel.units.topLevelItem(0)
    panel.units.itemClicked.emit(row, 0)
    until(qtbot, lambda: studio.model.outline.lane.neurons[0].layer == "conv2")


def test_chains_start_from_it_and_undo_goes_back(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    studio.controller.pause()
    before = studio.model.outline
    feature.start_from_it()
    state = state_of(studio, qtbot)
    assert (state.lane.chains.x == feature.picture.pixels).all()
    assert state.pictures[0].title == "three.jpg" and state.pictures[0].file == digit
    studio.controller.undo()
    until(qtbot, lambda: studio.model.outline == before)
    assert state_of(studio, qtbot).pictures == ()
    studio.controller.redo()
    until(qtbot, lambda: len(studio.model.outline.pictures) == 1)
    assert (state_of(studio, qtbot).lane.chains.x == feature.picture.pixels).all()


def test_it_is_pushed_to_a_class_and_the_difference_is_shown(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    before = studio.model.outline
    feature.panel.target.setCurrentText("8")
    feature.panel.pushed.emit("8")
    outline = studio.model.outline
    assert outline.lane.neurons == (Neuron("fc3", 8),) * 3
    assert outline.rest == 0 and outline.lane.settings.objective == "log-probability"
    canvas = studio.panels.canvas
    until(qtbot, lambda: canvas.difference_scale is not None)
    until(qtbot, lambda: studio.last_frame.step > 60)
    state = state_of(studio, qtbot)
    until(qtbot, lambda: feature.panel._now.text().startswith("Now: 8, "))
    until(qtbot, lambda: feature._changed_at is not None)
    assert 0 < feature._changed_at < 0.2
    far = (state.lane.chains.x - feature.picture.pixels).square().mean().sqrt()
    assert far < 0.2
    # A second push keeps the photograph only once.
    feature.push("9")
    assert len(studio.model.outline.pictures) == 1
    studio.controller.undo()
    studio.controller.undo()
    until(qtbot, lambda: studio.model.outline == before)
    until(qtbot, lambda: canvas.difference_scale is None)


def test_released_chains_go_to_the_rest_colour(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    feature.push("8")
    until(qtbot, lambda: feature.panel._release.isVisible())
    feature.panel.released.emit()
    assert studio.model.outline.rest is None
    until(qtbot, lambda: not feature.panel._release.isVisible())


def test_no_such_class_is_one_sentence(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    feature.push("ten")
    assert "has no class or neuron called 'ten'" in studio.banner.texts()[-1]
    assert studio.model.outline.pictures == ()


def test_a_png_without_a_recipe_is_a_photograph(studio, qtbot, tmp_path):
    path = tmp_path / "plain.png"
    Image.new("RGBA", (50, 20), (255, 255, 255, 0)).save(path)
    feature = opened(studio, qtbot, path)
    assert torch.equal(feature.picture.pixels, torch.zeros(1, 28, 28))
    for name in ("a.png", "b.gif"):
        frames = [Image.new("L", (28, 28), grey) for grey in (90, 200)]
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], loop=0)
        files(studio).open(tmp_path / name)
        said = f"{name} is an animation; its first image is shown as a photograph."
        until(qtbot, lambda said=said: said in studio.banner.texts())
    until(qtbot, lambda: feature._task is None)  # the network has looked at the last one


def test_what_is_no_photograph_is_said_in_the_tab(studio, qtbot, tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("no picture")
    files(studio).open(path)
    panel = studio.feature(Photographs).panel
    until(qtbot, lambda: "is no picture of a common format" in panel._waiting.text())
    assert not panel._start.isEnabled()


def test_another_network_looks_at_it_again(studio, qtbot, digit):
    feature = opened(studio, qtbot, digit)
    first = feature.picture
    studio.controller.set_network(open_network("lenet-averaged"))
    until(qtbot, lambda: feature.picture is not None and feature.picture is not first)
    until(qtbot, lambda: feature.panel.units.topLevelItemCount() > 0)


def test_without_a_session_it_is_refused(make_window, tmp_path, digit):
    with pytest.raises(StudioError, match="Open a network first"):
        files(make_window()).open_or_raise(digit)


def test_shares_are_shown_only_where_they_are_known(qtbot):
    from ldam_studio.explore.photograph.answers import Answer, LayerAnswers
    from ldam_studio.gui.photograph.panel import PhotographPanel

    panel = PhotographPanel()
    qtbot.addWidget(panel)
    layers = [
        LayerAnswers(
            f"fc{below}", (Answer(Neuron("fc3", 1), "1", 2.0, 3.0, below),), "digits", True
        )
        for below in (0.5, None)
    ]
    panel.show_answers(tuple(layers), 0, "")
    assert not panel.units.isColumnHidden(3) and panel.units.topLevelItem(0).text(3) == "50.0 %"
    panel.layers.setCurrentIndex(1)
    assert panel.units.isColumnHidden(3)


def test_a_long_name_ends_in_an_ellipsis_and_is_in_the_tool_tip(qtbot):
    from ldam_studio.gui.photograph.panel import PhotographPanel

    panel = PhotographPanel()
    qtbot.addWidget(panel)
    panel.resize(640, 150)
    panel.show()
    name = "inverted: a four on squared paper, photographed on the last day of term.jpg"
    panel.show_picture(None, name)
    caption = panel._caption
    shown = QLabel.text(caption)
    assert shown.endswith("…") and name.startswith(shown[:-1])
    assert caption.text() == caption.toolTip() == name
