"""What the traces remember is what happened, in memory that does not grow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.gui.traces.history import Recent, View, Whole


def _rows(steps: np.ndarray) -> np.ndarray:
    """Return two chains whose values are known functions of the step."""
    return np.stack((np.sin(steps / 7), steps / 10), axis=1).astype(np.float32)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=40))
def test_recent_holds_the_last_rows_whatever_the_portions(portions):
    history, seen = Recent((2,), keep=50), 0
    for count in portions:
        steps = np.arange(seen, seen + count)
        history.add(steps, _rows(steps))
        seen += count
    view = history.view()
    expected = np.arange(max(0, seen - 50), seen)
    np.testing.assert_array_equal(view.steps, expected)
    np.testing.assert_array_equal(view.mean, _rows(expected))


@given(st.lists(st.integers(1, 70), min_size=1, max_size=40))
def test_whole_keeps_every_extreme_and_the_mean(portions):
    history, seen = Whole((2,), stretches=16), 0
    for count in portions:
        steps = np.arange(seen, seen + count)
        history.add(steps, _rows(steps))
        seen += count
    view = history.view()
    assert len(view.steps) <= 17
    starts = np.append(view.steps, seen)
    for at, (first, last) in enumerate(itertools.pairwise(starts)):
        rows = _rows(np.arange(first, last))
        np.testing.assert_array_equal(view.low[at], rows.min(axis=0))
        np.testing.assert_array_equal(view.high[at], rows.max(axis=0))
        np.testing.assert_allclose(view.mean[at], rows.mean(axis=0), rtol=1e-4, atol=1e-5)


def test_memory_stays_what_it_is():
    history = Whole((3, 10), stretches=1024)
    for start in range(0, 50_000, 500):
        steps = np.arange(start, start + 500)
        history.add(steps, np.zeros((500, 3, 10), np.float32))
    view = history.view()
    assert len(view.steps) <= 1025
    assert view.steps[0] == 0
    assert history.width == 64


def test_what_was_not_measured_stays_unmeasured():
    history = Whole((1,), stretches=4)
    rows = np.full((32, 1), np.nan, np.float32)
    rows[20] = 0.5
    history.add(np.arange(32), rows)
    view = history.view()
    assert np.isnan(view.high[0, 0])
    assert np.nanmax(view.high) == pytest.approx(0.5)


@pytest.mark.parametrize("first", [0, 3, 997])
def test_thinning_keeps_extremes_and_groups_at_fixed_steps(first):
    steps = np.arange(first, first + 1000)
    rows = _rows(steps)
    thin = View(steps, rows, rows, rows).thinned(100)
    assert len(thin.steps) <= 102
    assert thin.steps[0] == first
    assert all(step % 10 == 0 for step in thin.steps[1:])
    assert thin.low.min() == rows.min()
    assert thin.high.max() == rows.max()
    inner = slice(1, 2)
    part = rows[thin.steps[1] - first : thin.steps[2] - first]
    np.testing.assert_allclose(thin.mean[inner][0], part.mean(axis=0), rtol=1e-5)


def test_few_rows_are_not_thinned():
    steps = np.arange(10)
    view = View(steps, _rows(steps), _rows(steps), _rows(steps))
    assert view.thinned(100) is view


@pytest.mark.parametrize("make", [lambda: Recent((1,), 8), lambda: Whole((1,), 8)])
@pytest.mark.parametrize("step", [1, 7, 20, 33, 34])
def test_what_is_taken_back_is_forgotten_and_what_was_before_it_is_not(make, step):
    history = make()
    for first in range(1, 34, 3):
        steps = np.arange(first, first + 3)
        history.add(steps, steps[:, None].astype(np.float32))
    before = history.view()
    history.forget_from(step)
    after = history.view()
    assert (after.high < step).all()
    # No more than the stretch in which it lies is lost.
    assert set(before.steps[before.high[:, 0] < step]) <= set(after.steps)
    history.add(np.array([step]), np.array([[float(step)]], np.float32))
    assert history.view().high[-1] == step
