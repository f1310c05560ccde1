"""What the window says about chains and averages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ldam_studio.gui.frame_words import (
    average_words,
    progress_words,
    shorter_counts,
    told_apart,
)


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
        ([True], [True], "settling: 1 of 1 chain"),
        ([True] * 2, [True, False], "settling: 1 of 2 chains"),
    ],
)
def test_one_chain_is_not_several(done, settling, words):
    frame = SimpleNamespace(
        neurons=(0,) * len(done), burned_in=np.array(done), settling=np.array(settling)
    )
    assert progress_words(frame) == words
