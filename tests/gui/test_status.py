"""What the window says about chains and averages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel

from gui.windows import small_opening, until
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.frame_words import (
    average_words,
    progress_words,
    rate_words,
    shorter_counts,
    told_apart,
)
from ldam_studio.gui.named_label import NamedLabel


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (("4",), ("4",)),
        (("conv1:2",) * 3, ("#1", "#2", "#3")),
        (("4", "7", "4"), ("4 #1", "7", "4 #3")),
        (("4", "7"), ("4", "7")),
    ],
)
def test_only_what_tells_chains_apart_is_written(labels, shown):
    assert told_apart(labels) == shown


@pytest.mark.parametrize(
    ("done", "count", "window", "words"),
    [
        (False, 70, 0, ""),
        (True, 1, 0, "1 sample"),
        (True, 1234, 0, "1,234 samples"),
        (True, 150, 150, "150 samples"),
        (True, 1234, 150, "last 150 of 1,234 samples"),
    ],
)
def test_of_a_burned_in_average_it_is_said_what_is_in_it(done, count, window, words):
    frame = SimpleNamespace(front=0, burned_in=np.array([done]), samples=np.array([count]))
    assert average_words(frame, window) == words


def test_a_count_of_samples_is_shortened_whole():
    assert shorter_counts("last 150 of 1,204 samples") == ("last 150 of 1,204", "last 150", "…")
    assert shorter_counts("1 sample") == ("1", "…")
    assert shorter_counts("of averages, ±0.5") == shorter_counts("") == ()


@pytest.mark.parametrize(
    ("done", "settling", "words"),
    [
        ([False], [False], "burn-in: 0 of 1 chain done"),
        ([True, False], [False] * 2, "burn-in: 1 of 2 chains done"),
        ([True] * 6 + [False] * 994, [False] * 1000, "burn-in: 6 of 1,000 chains done"),
        ([True], [True], "settling: 1 of 1 chain"),
        ([True] * 2, [True, False], "settling: 1 of 2 chains"),
    ],
)
def test_one_chain_is_not_several(done, settling, words):
    frame = SimpleNamespace(
        neurons=(0,) * len(done), burned_in=np.array(done), settling=np.array(settling)
    )
    assert progress_words(frame) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.0, ""),
        (0.004, "1 frame in 250 s"),
        (1 / 3, "1 frame in 3.0 s"),
        (0.94, "1 frame in 1.1 s"),
        (1.0, "1.0 frames/s"),
        (29.6, "30 frames/s"),
        (12345.0, "12,345 frames/s"),
    ],
)
def test_work_however_slow_is_never_said_to_be_none(rate, words):
    assert rate_words(rate, "frame") == words


def test_a_count_of_one_is_singular(qtbot):
    box = CountBox("step")
    qtbot.addWidget(box)
    box.setRange(1, 100)
    assert box.text() == "1 step"
    box.setValue(7)
    assert box.text() == "7 steps"
    with qtbot.assertNotEmitted(box.valueChanged):
        box.show_value(1)
    assert box.text() == "1 step"
    box.count("checkpoint")
    assert box.text() == "1 checkpoint"


def test_a_screen_reader_says_names_and_values(studio, qtbot):
    frame = studio.last_frame
    until(qtbot, lambda: studio.status.text("step") != "")
    for label in studio.findChildren(NamedLabel):
        assert label.text() in label.accessibleName()
    said = [label.accessibleName() for label in studio.status.findChildren(NamedLabel)]
    assert frame is not None and any(name.startswith("step: step ") for name in said)
    # A label's accessible name is said in place of its text: no other label may have one.
    others = [w for w in studio.findChildren(QLabel) if not isinstance(w, NamedLabel)]
    assert [w.accessibleName() for w in others if w.accessibleName()] == []


def test_a_slow_networks_frames_are_counted_from_its_first(studio, qtbot):
    until(qtbot, lambda: studio.status.text("frames") != "")
    studio.open(small_opening("fc3:1"))
    until(qtbot, lambda: studio.last_frame is not None)
    assert not studio.status.text("frames").startswith("0")
