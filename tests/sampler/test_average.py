"""Running averages against numpy, and burn-in on chains whose state is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.sampler import average, burn_in

SHAPE = (1, 2, 2)


def averaged(samples, window=0):
    state = average.init(samples[0])
    for x in samples:
        state = average.update(state, x, window)
    return state


@given(count=st.integers(1, 40), chains=st.integers(1, 4), seed=st.integers(0, 99))
def test_without_a_window_mean_and_variance_are_arithmetic(count, chains, seed):
    generator = torch.Generator().manual_seed(seed)
    samples = torch.randn((count, chains, *SHAPE), generator=generator)
    state = averaged(samples)
    torch.testing.assert_close(state.mean, samples.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(state.variance, samples.var(0, unbiased=False), atol=1e-4, rtol=1e-3)
    assert state.count.tolist() == [count] * chains


@given(window=st.integers(1, 20), count=st.integers(1, 60))
def test_a_window_weighs_samples_exponentially(window, count):
    generator = torch.Generator().manual_seed(window)
    samples = torch.randn((count, 2, *SHAPE), generator=generator)
    weights = np.zeros(count)
    for n in range(1, count + 1):
        weight = 1 / min(n, window)
        weights *= 1 - weight
        weights[n - 1] = weight
    expected = torch.tensordot(torch.tensor(weights, dtype=torch.float32), samples, 1)
    state = averaged(samples, window)
    torch.testing.assert_close(state.mean, expected, atol=1e-5, rtol=1e-4)
    assert weights.sum() == pytest.approx(1)


@given(constant=st.floats(-3, 3), count=st.integers(1, 30), window=st.integers(0, 10))
def test_a_standing_chain_has_its_own_value_and_no_variance(constant, count, window):
    state = averaged(torch.full((count, 1, *SHAPE), constant), window)
    torch.testing.assert_close(state.mean, torch.full((1, *SHAPE), constant))
    assert float(state.variance.max()) <= 1e-9
    assert float(state.change) == pytest.approx(abs(constant) if count == 1 else 0, abs=1e-6)


def test_reset_forgets_only_the_chains_that_were_named():
    samples = torch.arange(3.0).reshape(3, 1, 1, 1, 1).expand(3, 2, *SHAPE)
    state = average.reset(averaged(samples), torch.tensor([True, False]))
    assert state.count.tolist() == [0, 3]
    state = average.update(state, torch.full((2, *SHAPE), 9.0))
    assert state.mean[0].unique().tolist() == [9.0]
    assert state.mean[1].unique().tolist() == [3.0]
    assert float(state.variance[0].max()) == 0


def test_chains_of_one_neuron_are_pooled_in_proportion_to_their_samples():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn((12, 3, *SHAPE), generator=generator)
    state = averaged(samples[:8])
    state = average.reset(state, torch.tensor([False, True, False]))
    for x in samples[8:]:
        state = average.update(state, x)
    both = average.pooled(state, torch.tensor([0, 0, 1]))
    seen = torch.cat([samples[:, 0], samples[8:, 1]])
    torch.testing.assert_close(both.mean[0], seen.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(both.mean[1], both.mean[0])
    torch.testing.assert_close(both.variance[0], seen.var(0, unbiased=False), atol=1e-4, rtol=1e-3)
    assert both.count.tolist() == [16, 16, 12]
    torch.testing.assert_close(both.mean[2], state.mean[2])


def test_average_over_chains_is_of_this_moment():
    x = torch.arange(4.0).reshape(4, 1, 1, 1)
    now = average.over_chains(x, torch.tensor([0, 1, 0, 1]))
    assert now.mean.flatten().tolist() == [1, 2, 1, 2]
    assert now.variance.flatten().tolist() == [1, 1, 1, 1]
    assert now.count.tolist() == [2, 2, 2, 2]


def feed(values, threshold, fixed=None, progress=None):
    progress = burn_in.init(values.shape[1]) if progress is None else progress
    for value in values:
        progress = burn_in.update(progress, value, threshold, fixed)
    return progress


def noise(steps, chains=64, seed=0):
    return torch.randn((steps, chains), generator=torch.Generator().manual_seed(seed))


def test_steady_chains_above_the_threshold_burn_in_and_others_do_not():
    values = noise(100) + 5
    # Two successive means differ by less than two standard errors in about 95 of 100 cases.
    assert 0.85 < float(feed(values, threshold=4.0).done.float().mean()) <= 1.0
    assert not feed(values, threshold=6.0).done.any()
    assert not feed(values[:99], threshold=4.0).done.any()


def test_a_climbing_chain_does_not_burn_in():
    climb = torch.linspace(0, 20, 400)[:, None]
    assert not feed(noise(400) * 0.3 + climb, threshold=0.0).done.any()


def test_a_chain_that_stands_still_burns_in():
    assert feed(torch.full((100, 3), 2.0), threshold=1.0).done.all()


def test_fixed_burn_in_counts_steps_and_ignores_the_threshold():
    values = noise(11)
    assert not feed(values[:10], threshold=1e9, fixed=10).done.any()
    assert feed(values, threshold=1e9, fixed=10).done.all()
    assert feed(values[:1], threshold=1e9, fixed=0).done.all()


def test_a_moved_slider_settles_again_without_burning_in_anew():
    progress = feed(torch.full((100, 2), 2.0), threshold=1.0)
    assert not progress.settling.any()
    progress = burn_in.disturb(progress)
    assert progress.done.all()
    assert progress.settling.all()
    progress = feed(torch.full((100, 2), 3.0), threshold=1.0, progress=progress)
    assert not progress.settling.any()
