"""Choosing the real images from which a discriminator learns, inside the window."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PyQt6.QtWidgets import QLabel, QPushButton

from gui.windows import learner, open_in, paused, small_opening, until
from ldam_studio.errors import StudioError
from ldam_studio.gui.learner.feature import Learner
from ldam_studio.networks.discriminators import DIGITS
from ldam_studio.training.real_images import REAL_IMAGES, RealImages


def _load(data: Path | None, shape: tuple[int, int, int], seed: int) -> torch.Tensor:
    if data is None or not (data / "images").exists():
        raise StudioError(f"There are no images in {data}; choose another folder.")
    drawn = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (64, *shape), generator=drawn).to(torch.uint8)


@pytest.fixture
def window(make_window, qtbot, monkeypatch):
    """Give a window over a session whose discriminator has no real images."""
    row = RealImages(_load, lambda data: "none yet; choose a folder" if data is None else str(data))
    monkeypatch.setitem(REAL_IMAGES, DIGITS, row)
    return open_in(make_window(), qtbot, small_opening(discriminator=True))


def _button(window) -> QPushButton:
    found = learner(window).findChildren(QPushButton)
    return next(button for button in found if "Choose a folder" in button.text())


def _says(window, text) -> bool:
    return any(label.text() == text for label in learner(window).findChildren(QLabel))


def test_where_there_are_none_a_folder_can_be_chosen_and_is_learned_from(window, qtbot, tmp_path):
    (tmp_path / "images").touch()
    assert not _button(window).isHidden()
    paused(window, qtbot)
    before = window.last_frame
    window.feature(Learner).use_images(tmp_path)
    until(qtbot, lambda: window.model.outline.data == tmp_path)
    assert _says(window, f"Real images: {tmp_path}")
    assert _button(window).isHidden()
    # It is the same session as before, as if it had been opened with them.
    state = window.controller.ask(lambda state: state).result(30)
    assert (state.step, state.data, state.origin["data"]) == (before.step, tmp_path, str(tmp_path))
    assert (state.lane.chains.x[window.model.front].numpy() == before.lanes[0].raw).all()
    window.controller.set_value("learn_every", 1)
    window.controller.play()
    until(qtbot, lambda: window.last_frame.lesson is not None)
    asked = window.controller.ask(lambda state: state.real_images.shape).result(30)
    assert asked == (64, 1, 28, 28)


def test_a_folder_without_images_changes_nothing_and_says_why(window, qtbot, tmp_path):
    window.feature(Learner).use_images(tmp_path / "empty")
    until(qtbot, lambda: window.banner.texts() != ())
    assert "There are no images in" in window.banner.texts()[-1]
    assert window.model.outline.data is None
    assert not _button(window).isHidden()


def test_where_real_images_ship_there_is_nothing_to_choose(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    assert _button(window).isHidden()
    window = open_in(make_window(), qtbot, small_opening())
    assert _button(window).isHidden()
