"""Real images beside the drawn one, in a window over LeNet."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image
from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtGui import QHelpEvent
from PyQt6.QtWidgets import QApplication, QTabWidget, QToolTip

from gui.windows import lenet, open_in, paused, small_opening, until
from ldam_studio.explore.real_images import indexing
from ldam_studio.explore.real_images.index import open_index
from ldam_studio.explore.real_images.sources import FOLDER, Spec
from ldam_studio.gui.real_images import beside
from ldam_studio.gui.real_images.chosen import Choice, Chosen
from ldam_studio.gui.real_images.feature import INDEX, SHOW, RealImages
from ldam_studio.gui.real_images.index_dialog import IndexDialog
from ldam_studio.gui.real_images.picture_dialog import PictureDialog
from ldam_studio.gui.real_images.range_strip import Scale, spaced
from ldam_studio.networks.neurons import Neuron


@pytest.fixture
def window(make_window, qtbot, monkeypatch):
    monkeypatch.setattr(beside, "EVERY_MS", 50)
    return open_in(make_window(), qtbot, small_opening())


@pytest.fixture
def photos(tmp_path):
    """Give a folder of grey pictures, and of one that is broken."""
    place = tmp_path / "photos"
    place.mkdir()
    drawn = np.random.default_rng(0)
    for number in range(12):
        small = Image.fromarray(drawn.integers(0, 256, (5, 5), dtype=np.uint8))
        small.resize((40, 40), Image.Resampling.BICUBIC).save(place / f"<b>{number}.png")
    (place / "broken.png").write_bytes(b"no picture")
    return place


def feature(window) -> RealImages:
    return window.feature(RealImages)


def visible(window, qtbot):
    """Show the panel and wait for images of the neuron in front."""
    window.places.actions()[SHOW.name].trigger()
    panel = feature(window).panel
    until(qtbot, lambda: panel.shows_evidence)
    return panel


def test_shipped_digits_come_by_themselves_and_follow_the_neuron(window, qtbot) -> None:
    panel = feature(window).panel
    assert not panel.isVisible() and open_index(lenet(), Spec("digits")) is None
    panel = visible(window, qtbot)
    evidence = panel.patches.evidence
    assert evidence.neuron == Neuron("fc3", 0) and len(evidence.responses) == 5000
    assert panel.source.text() == "5,000 images ▾"
    until(qtbot, lambda: "raw" in panel.range.drawn)
    assert "real" in panel.words.text() and "best real image" in panel.words.text()
    window.model.set_front(2)
    until(qtbot, lambda: panel.patches.evidence.neuron == Neuron("fc3", 2))
    window.controller.set_neurons(Neuron("conv2", 3))
    until(qtbot, lambda: panel.patches.evidence.neuron == Neuron("conv2", 3))
    assert all(each.box is not None for each in panel.patches.evidence.best)


def test_the_drawn_image_has_the_activation_that_the_window_shows(window, qtbot) -> None:
    panel = visible(window, qtbot)
    paused(window, qtbot)
    frame = window.last_frame.lanes[0]
    raw = torch.from_numpy(np.array(frame.raw))[None]
    expected = lenet().output(raw, "fc3")[0, 0].item()
    until(qtbot, lambda: panel.range.drawn.get("raw") == pytest.approx(expected, abs=1e-3))


def test_a_hidden_panel_does_no_work(window, qtbot) -> None:
    made = feature(window).beside
    panel = visible(window, qtbot)
    until(qtbot, lambda: bool(panel.range.drawn))
    window.findChild(QTabWidget).setCurrentIndex(0)
    assert not panel.isVisible() and not made._clock.isActive()
    window.model.set_front(1)
    before = window.frames.count
    until(qtbot, lambda: window.frames.count > before + 3)
    assert made._looking is None and made._reading is None
    assert panel.patches.evidence.neuron == Neuron("fc3", 0)
    visible(window, qtbot)
    until(qtbot, lambda: panel.patches.evidence.neuron == Neuron("fc3", 1))


def test_a_folder_is_chosen_in_a_dialog_that_says_how_long_it_takes(window, qtbot, photos) -> None:
    window.places.actions()[INDEX.name].trigger()
    (dialog,) = window.findChildren(IndexDialog)
    until(qtbot, lambda: dialog.note.text().startswith("5,000 images; about "))
    dialog.images.setCurrentIndex(dialog.images.count() - 1)
    assert not dialog.go_on.isEnabled()
    dialog.path.setText(str(photos / "nowhere"))
    dialog.go()
    assert dialog.isVisible() and "There is no folder or zip" in dialog.note.text()
    (photos / "empty").mkdir()
    dialog.path.setText(str(photos / "empty"))
    until(qtbot, lambda: "contains no pictures" in dialog.note.text())
    assert not dialog.go_on.isEnabled()
    dialog.path.setText(str(photos))
    until(qtbot, lambda: dialog.note.text().startswith("13 images; about "))
    dialog.which.setCurrentIndex(1)
    dialog.go()
    panel = feature(window).panel
    until(qtbot, lambda: panel.shows_evidence and len(panel.patches.evidence.responses) == 12)
    assert "1 of 13 files could not be read: broken.png" in panel.source.toolTip()
    assert feature(window).remember() == {"lenet": [FOLDER, str(photos), 10_000]}
    window.controller.set_neurons(Neuron("relu1", 2))
    until(qtbot, lambda: panel.patches.evidence.neuron == Neuron("relu1", 2))


def test_indexing_shows_progress_is_cancelled_and_goes_on(
    window, qtbot, photos, monkeypatch
) -> None:
    monkeypatch.setattr(indexing, "batch_of", lambda _network: 2)
    show, gate = indexing._Building._show, threading.Semaphore(3)

    def slow(self, items, responder) -> None:
        if not gate.acquire(timeout=20):
            raise RuntimeError
        show(self, items, responder)

    monkeypatch.setattr(indexing._Building, "_show", slow)
    made, panel = feature(window).beside, feature(window).panel
    window.places.actions()[SHOW.name].trigger()
    choice = Choice(Spec(FOLDER, str(photos)))
    made.showing.chosen.choose(window.model.outline.lane.network, choice)
    made.showing.build(window.model.outline.lane.network, choice, ("fc3",))
    until(qtbot, lambda: "of 13" in panel.stage.text())
    assert panel.is_waiting and panel.bar.maximum() == 13
    before = window.last_frame.step
    until(qtbot, lambda: window.last_frame.step > before)  # the session goes on
    panel.cancel.click()
    gate.release(30)
    until(qtbot, lambda: panel.shows_evidence)
    assert "Indexing was stopped" in panel.source.toolTip()
    assert len(panel.patches.evidence.responses) < 12
    made.showing.build(window.model.outline.lane.network, choice, ("fc3",))
    until(qtbot, lambda: panel.shows_evidence and len(panel.patches.evidence.responses) == 12)


def test_a_layer_that_was_not_shown_the_images_is_offered(window, qtbot, photos) -> None:
    made, panel = feature(window).beside, feature(window).panel
    network = window.model.outline.lane.network
    made.showing.chosen.choose(network, Choice(Spec(FOLDER, str(photos))))
    window.places.actions()[SHOW.name].trigger()
    until(qtbot, lambda: panel.offer.isVisible())
    assert "fc3 has not been shown photos" in panel.sentence.text()
    panel.offer.click()
    until(qtbot, lambda: panel.shows_evidence)


def test_images_that_cannot_be_read_are_one_sentence(window, qtbot, tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    made, panel = feature(window).beside, feature(window).panel
    window.places.actions()[SHOW.name].trigger()
    network = window.model.outline.lane.network
    choice = Choice(Spec(FOLDER, str(tmp_path)))
    made.showing.chosen.choose(network, choice)
    made.showing.build(network, choice, ("fc3",))
    until(qtbot, lambda: "None of the 1 pictures" in panel.sentence.text())
    assert panel.other.isVisible()


def test_a_picture_opens_larger_with_what_the_unit_sees(window, qtbot, photos) -> None:
    made, panel = feature(window).beside, feature(window).panel
    made.showing.chosen.choose(window.model.outline.lane.network, Choice(Spec(FOLDER, str(photos))))
    window.controller.set_neurons(Neuron("conv1", 1))
    window.places.actions()[SHOW.name].trigger()
    until(qtbot, lambda: panel.offer.isVisible())
    panel.offer.click()
    until(qtbot, lambda: panel.shows_evidence and bool(panel.patches.spots))
    spot = panel.patches.spots[0]
    at = spot.rect.center()
    help_at = QHelpEvent(QEvent.Type.ToolTip, at, panel.patches.mapToGlobal(at))
    QApplication.sendEvent(panel.patches, help_at)
    assert "&lt;b&gt;" in QToolTip.text() and "activation" in QToolTip.text()
    QToolTip.hideText()
    qtbot.mouseClick(panel.patches, Qt.MouseButton.LeftButton, pos=QPoint(at))
    (dialog,) = window.findChildren(PictureDialog)
    assert "<b>" in dialog.words.text() and "sees 5 x 5 pixels" in dialog.words.text()
    dialog.reject()
    panel.range.setFocus()
    qtbot.keyClick(panel.range, Qt.Key.Key_Right)
    qtbot.keyClick(panel.range, Qt.Key.Key_Return)
    until(qtbot, lambda: any(d.isVisible() for d in window.findChildren(PictureDialog)))


def test_closing_while_images_are_shown_leaves_nothing_behind(window, qtbot, photos) -> None:
    made = feature(window).beside
    window.places.actions()[SHOW.name].trigger()
    network = window.model.outline.lane.network
    made.showing.build(network, Choice(Spec(FOLDER, str(photos))), ("fc3",))
    window.close()


def test_a_scale_keeps_room_for_real_images_however_far_the_drawn_one_is() -> None:
    near = Scale(0.0, 30.0, {"raw": 40.0}, 0.0, 400.0)
    assert not near.is_broken and near.at(20.0) == pytest.approx(200.0)
    far = Scale(0.0, 30.0, {"raw": 3e4, "average": -9.0}, 0.0, 400.0)
    assert far.is_broken and far.breaks
    assert far.at(30.0) - far.at(0.0) == pytest.approx(0.62 * 400)
    values = [-9.0, 0.0, 15.0, 30.0, 3e4]
    pixels = [far.at(value) for value in values]
    assert pixels == sorted(pixels) and pixels[0] == 0.0 and pixels[-1] == 400.0


def test_examples_are_spaced_apart_in_their_order() -> None:
    found = spaced([5.0, 6.0, 50.0, 99.0, 99.0], 10, 0, 90)
    assert found == [5.0, 15.0, 50.0, 80.0, 90]


def test_what_was_remembered_is_checked() -> None:
    chosen = Chosen()
    odd = {"a": 3, "b": ["folder"], "c": ["nothing", "", 0], "d": [FOLDER, "/x", -1]}
    chosen.recall(odd | {"lenet": [FOLDER, "/photos", 7]})
    assert chosen.remember() == {"lenet": [FOLDER, "/photos", 7]}
