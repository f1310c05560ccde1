"""The numbers behind a verdict, against known answers."""

import numpy as np
import pytest

from agreement_targets import walk
from ldam_studio.explore.agreement.diagnostics import diagnose, differ, moving


def test_independent_samples_count_fully():
    found = diagnose(walk(np.random.default_rng(0), 1000, 4, quantities=3))
    assert found.bulk == pytest.approx([4000] * 3, rel=0.15)
    assert found.worst_r_hat < 1.01
    assert found.r_hat_nested is None


def test_autoregressive_samples_count_as_the_formula_says():
    memory = 0.8  # n (1 - memory) / (1 + memory) samples are left of n
    found = diagnose(walk(np.random.default_rng(0), 4000, 4, memory, quantities=3))
    assert found.bulk == pytest.approx([16_000 / 9] * 3, rel=0.2)


def test_r_hat_of_chains_that_are_apart_follows_its_formula():
    # Half of the chains are shifted by d: 2m halves have the variance d^2 / 4 * 2m / (2m - 1).
    values = walk(np.random.default_rng(0), 4000, 4, quantities=1)
    values[:, :2] += 0.6
    expected = np.sqrt(1 + 0.09 * 8 / 7)
    assert diagnose(values).worst_r_hat == pytest.approx(expected, abs=0.01)


def test_nested_r_hat_sees_that_starts_decide():
    values = walk(np.random.default_rng(0), 500, 8, quantities=2)
    values[:, 4:] += 3
    found = diagnose(values, np.array([0] * 4 + [1] * 4))
    assert found.r_hat_nested.min() > 1.5
    assert diagnose(values, np.zeros(8, np.int64)).r_hat_nested is None
    uneven = diagnose(values, np.array([0] * 5 + [1] * 3))
    assert uneven.r_hat_nested.min() > 1.1


def test_constant_quantities_are_not_defined():
    values = walk(np.random.default_rng(0), 200, 4, quantities=3)
    values[:, :, 1] = 7
    found = diagnose(values)
    assert np.isnan(found.r_hat[1])
    assert np.isnan(found.worst_r_hat)
    assert np.isnan(found.effective)
    assert found.worst == 1


def test_chains_that_agree_differ_as_often_as_chance_says():
    rng = np.random.default_rng(1)
    found = [differ(np.moveaxis(walk(rng, 120, 4), 1, 0))[0] for _ in range(100)]
    assert np.mean(np.array(found) < 0.05) <= 0.1


def test_repeated_samples_are_counted_once():
    values = np.array([1.0, 1, 2, 2, 3]).reshape(5, 1, 1)
    assert moving(values).tolist() == [3]
    assert moving(values[:0]).tolist() == [0]
