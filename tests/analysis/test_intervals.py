"""Bootstrap intervals over one kind of things, and over two that cross."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.analysis.intervals import bootstrap, bootstrap_crossed, deviation, mean


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
