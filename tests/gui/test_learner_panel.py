"""The discriminator's panel: what is asked of it and what it says."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QCheckBox, QLabel, QPushButton, QSpinBox

from gui import fakes
from gui.windows import CPU
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.gui.learner.panel import COLLAPSED, LearnerPanel
from ldam_studio.gui.session.model import Model
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.training import cifar10
from ldam_studio.training.learner import LearnInfo


@pytest.fixture
def panel(qtbot):
    made = LearnerPanel()
    qtbot.addWidget(made)
    made.periods = []
    made.learn_every_changed.connect(made.periods.append)
    made.show()
    return made


def _texts(panel):
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def _button(panel, word):
    return next(b for b in panel.findChildren(QPushButton) if word in b.text())


def _lesson(collapsed=False):
    return fakes.frame(lesson=LearnInfo(1234, 0.8125, 0.25, collapsed))


def test_the_box_asks_for_learning_at_the_chosen_period(panel):
    box, period = panel.findChild(QCheckBox), panel.findChild(QSpinBox)
    assert not period.isEnabled()
    box.click()
    period.setValue(25)
    box.click()
    assert panel.periods == [10, 25, 0]


def test_what_the_session_says_is_shown_and_not_asked_for_again(panel):
    panel.set_learn_every(40)
    assert panel.findChild(QCheckBox).isChecked()
    assert panel.findChild(QSpinBox).value() == 40
    panel.set_learn_every(0)
    assert not panel.findChild(QCheckBox).isChecked()
    assert panel.findChild(QSpinBox).value() == 40
    assert panel.periods == []


def test_a_round_is_reported(panel):
    panel.show_frame(_lesson())
    assert {"1,234", "0.81", "0.25"} <= set(_texts(panel))


def test_there_is_nothing_to_revert_before_the_first_round(panel):
    panel.show_frame(fakes.frame(lesson=None))
    assert not _button(panel, "Revert").isEnabled()
    panel.show_frame(_lesson())
    asked = []
    panel.revert_requested.connect(lambda: asked.append("revert"))
    panel.save_requested.connect(lambda: asked.append("save"))
    for word in ("Revert", "Save"):
        QTest.mouseClick(_button(panel, word), Qt.MouseButton.LeftButton)
    assert asked == ["revert", "save"]


def test_collapse_is_said_and_taken_back(panel):
    panel.show_frame(_lesson(collapsed=True))
    assert COLLAPSED in _texts(panel)
    panel.show_frame(_lesson())
    assert COLLAPSED not in _texts(panel)


def test_without_a_discriminator_it_says_why_and_offers_nothing(panel):
    panel.set_available(False, "This session has no discriminator.")
    assert "This session has no discriminator." in _texts(panel)
    assert not any(w.isEnabled() for w in panel.findChildren(QCheckBox))
    assert not any(w.isEnabled() for w in panel.findChildren(QPushButton))
    panel.set_available(True)
    assert "This session has no discriminator." not in _texts(panel)
    assert panel.findChild(QCheckBox).isEnabled()


def test_the_source_of_real_images_is_named(panel):
    panel.set_source("5,000 digits, shipped")
    assert "Real images: 5,000 digits, shipped" in _texts(panel)


def test_the_source_of_cifar_10s_images_is_where_they_lie(tmp_path, monkeypatch):
    network = open_network("vgg")
    model = Model()
    lane = LaneOutline(network, network.default_neurons(1), Settings())
    model.adopt(Outline((lane,), device=CPU), "CIFAR-10")
    monkeypatch.setenv("LDAM_DATA", str(tmp_path / "nowhere"))
    assert model.source_of_real_images.startswith("none yet; choose a folder with CIFAR-10")
    # Where nothing is named, the cache is looked in; nothing is read yet.
    monkeypatch.delenv("LDAM_DATA")
    monkeypatch.setattr(cifar10, "cache_folder", lambda: tmp_path)
    (tmp_path / "cifar10.npz").touch()
    assert model.source_of_real_images == f"CIFAR-10 in {tmp_path}"
