"""Bootstrap intervals over one kind of things and over two that cross, and those of shares."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.analysis.intervals import bootstrap, bootstrap_crossed, deviation, mean, wilson


def test_crossed_intervals_are_as_wide_as_what_differs_most():
    generator = torch.Generator().manual_seed(0)
    runs = torch.randn(5, 1, generator=generator)
    neurons = torch.randn(1, 10, generator=generator)
    both = bootstrap_crossed(runs + neurons)
    assert both.low < both.value < both.high
    # Fifty values that differ by their run alone are no more than five.
    shared = bootstrap_crossed(runs.expand(5, 10))
    alone = bootstrap(runs[:, 0], mean)
    assert shared.high - shared.low == pytest.approx(alone.high - alone.low, rel=0.05)
    naive = bootstrap(runs.expand(5, 10).flatten(), mean)
    assert shared.high - shared.low > 2 * (naive.high - naive.low)
    assert bootstrap_crossed(runs + neurons) == both


def test_of_a_single_run_the_neurons_alone_are_drawn():
    values = torch.tensor([[1.0, 2.0, 6.0]])
    one, plain = bootstrap_crossed(values), bootstrap(values[0], mean)
    assert one.value == plain.value == 3.0
    assert (one.low, one.high) == pytest.approx((plain.low, plain.high), abs=0.05)


def test_deviation():
    assert float(deviation(torch.tensor([1.0, 3.0]))) == 1.0


def test_the_interval_of_a_share_is_wilsons():
    hits = torch.tensor([True] * 37 + [False] * 23)
    found = wilson(hits, torch.arange(60))
    assert found.value == pytest.approx(37 / 60)
    # Wilson (1927), as in Brown, Cai and DasGupta (2001), formula 4.
    z, n, x = 1.959964, 60, 37
    middle = (x + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * (x * (n - x) / n + z**2 / 4) ** 0.5
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=2e-3)


def test_pictures_of_one_class_that_are_all_alike_count_once():
    hits = (torch.arange(60) < 37).float()
    alone = wilson(hits, torch.arange(60))
    three = wilson(hits.repeat(3), torch.arange(60).repeat(3))
    assert (three.low, three.high) == pytest.approx((alone.low, alone.high), abs=2e-3)
    generator = torch.Generator().manual_seed(0)
    independent = (torch.rand(180, generator=generator) < 0.6).float()
    free = wilson(independent, torch.arange(60).repeat(3))
    assert free.high - free.low < 0.7 * (three.high - three.low)


def test_shares_of_none_and_all_keep_an_interval():
    for value in (0.0, 1.0):
        found = wilson(torch.full((6,), value), torch.arange(3).repeat(2))
        assert found.value == value and 0 <= found.low <= value <= found.high <= 1
        assert found.high - found.low > 0.3
    single = wilson(torch.tensor([1.0, 0.0]), torch.tensor([4, 4]))
    assert single.low < 0.5 < single.high
