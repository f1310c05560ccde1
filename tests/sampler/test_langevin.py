"""The sampler's mathematics against closed forms, on thousands of chains at once."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernel_steps import density_of, linear, run
from ldam_studio.sampler.kernels import begin
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings

CHAINS = 4096
SHAPE = (1, 2, 3)
MODES = [{"mode": "exact"}, {"mode": "normalised"}, {"kernel": "bidmach"}]


@pytest.mark.parametrize(
    ("step_size", "temperature", "l2", "weight"),
    [(0.1, 0.5, 0.5, 0.0), (0.5, 0.1, 1.0, 0.3), (1.0, 2.0, 1.5, 0.0), (0.02, 1.0, 5.0, 0.8)],
)
def test_linear_neuron_has_the_mean_and_variance_of_the_discrete_chain(
    step_size, temperature, l2, weight
):
    rest = 0.25
    v = torch.linspace(-1, 2, 6).reshape(SHAPE)
    settings = Settings.of(
        mode="exact",
        step_size=step_size,
        temperature=temperature,
        l2=l2,
        discriminator_weight=weight,
    )
    steps = math.ceil(8 / (step_size * l2))
    x = torch.zeros(CHAINS, *SHAPE)
    x = run(x, steps, settings, linear(v), rest=rest)[0].x
    mean = rest + (1 - weight) * v / (2 * l2)
    variance = temperature / (2 * l2) / (1 - step_size * l2 / 2)
    error = math.sqrt(variance / CHAINS)
    assert torch.all((x.mean(0) - mean).abs() < 5 * error + 1e-3)
    assert x.var(0).numpy() == pytest.approx(variance, rel=0.12)
    assert float(x.var(0).mean()) == pytest.approx(variance, rel=0.04)


def test_l2_towards_an_image_is_normal_around_it():
    """exp(-lam |x - r|^2 / T) has the mean r and the variance T / (2 lam), also for an image r."""
    rest = torch.linspace(-1, 2, 6).reshape(SHAPE)
    settings = Settings.of(mode="exact", step_size=0.2, temperature=0.1, l2=1.0)
    x = run(torch.zeros(CHAINS, *SHAPE), 60, settings, linear(torch.zeros(SHAPE)), rest=rest)[0].x
    variance = 0.1 / 2 / (1 - 0.2 / 2)
    assert (x.mean(0) - rest).abs().max() < 5 * math.sqrt(variance / CHAINS) + 1e-3
    assert float(x.var(0).mean()) == pytest.approx(variance, rel=0.04)


def test_linear_discriminator_joins_with_its_weight():
    v, u = torch.ones(SHAPE), torch.linspace(-1, 1, 6).reshape(SHAPE)
    settings = Settings.of(
        mode="exact", step_size=0.5, temperature=0.1, l2=1.0, discriminator_weight=0.4
    )
    x = run(torch.zeros(CHAINS, *SHAPE), 40, settings, linear(v), linear(u))[0].x
    mean = (0.6 * v + 0.4 * u) / 2
    assert (x.mean(0) - mean).abs().max() < 0.02


def test_each_chain_follows_its_own_settings():
    temperatures = (0.0, 0.1, 1.0)
    settings = Settings.of(mode="exact", step_size=0.5, temperature=temperatures, l2=1.0)
    settings = settings.for_chains(3 * 1024)
    x = run(torch.zeros(3 * 1024, *SHAPE), 40, settings, linear(torch.zeros(SHAPE)))[0].x
    for i, temperature in enumerate(temperatures):
        expected = temperature / 2 / (1 - 0.25)
        assert float(x[i::3].var()) == pytest.approx(expected, rel=0.05, abs=1e-12)


def test_zero_temperature_is_gradient_ascent():
    target = torch.linspace(0, 1, 6).reshape(SHAPE)

    def hill(x):
        return -((x - target) ** 2).flatten(1).sum(1)

    activation = value_and_gradient(hill)
    settings = Settings.of(mode="exact", step_size=0.2, temperature=0.0, l2=0.0)
    x = torch.zeros(3, *SHAPE)
    state, _ = run(x, 1, settings, activation)
    torch.testing.assert_close(state.x, x + 0.1 * 2 * (target - x))
    state, info = run(x, 200, settings, activation)
    torch.testing.assert_close(state.x, target.expand_as(x), atol=1e-5, rtol=0)
    assert float(info.activation.abs().max()) < 1e-9


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_two_modes_are_visited_in_proportion_to_p_to_the_one_over_t(temperature):
    centres, spread = 1.2, 0.5
    log_odds = math.log(3.0)  # p: the right mode is three times as high as the left

    def mixture(x):
        x = x.flatten(1).squeeze(1)
        right = -((x - centres) ** 2) / (2 * spread**2) + log_odds
        left = -((x + centres) ** 2) / (2 * spread**2)
        return torch.logaddexp(left, right)

    grid = torch.linspace(-6, 6, 4001, dtype=torch.float64).reshape(-1, 1, 1, 1)
    density = (mixture(grid) / temperature).exp()
    expected = float(density[grid.flatten() > 0].sum() / density.sum())
    settings = Settings.of(mode="exact", step_size=0.04, temperature=temperature, l2=0.0)
    generator = torch.Generator().manual_seed(1)
    x = 1.5 * torch.randn((CHAINS, 1, 1, 1), generator=generator)
    activation = value_and_gradient(mixture)
    x = run(x, 1500, settings, activation)[0].x
    assert float((x > 0).float().mean()) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("power", [1e-4, 1.0, 1e4])
def test_normalised_mode_keeps_direction_and_fixed_point_at_any_gradient_size(power):
    v = power * torch.linspace(-1, 2, 6).reshape(SHAPE)
    settings = Settings.of(step_size=0.1, temperature=0.0, l2=0.5)
    x = torch.zeros(2, *SHAPE)
    first, info = run(x, 1, settings, linear(v))
    cosine = torch.cosine_similarity(first.x.flatten(1), v.flatten()[None])
    torch.testing.assert_close(cosine, torch.ones(2))
    assert float(info.gradient_rms[0]) == pytest.approx(float(v.square().mean().sqrt()), rel=1e-5)
    last, _ = run(x, 800, settings, linear(v))
    unit = v / v.square().mean().sqrt()
    torch.testing.assert_close(last.x[0], unit / (2 * 0.5), atol=1e-4, rtol=1e-4)


def test_normalised_mode_takes_the_rms_over_the_receptive_field():
    v = torch.zeros(1, 8, 8)
    v[:, 2:4, 2:4] = 3.0
    settings = Settings.of(step_size=1.0, temperature=0.0, l2=0.0)
    state, info = run(torch.zeros(1, 1, 8, 8), 1, settings, linear(v), field_size=4)
    assert float(info.gradient_rms) == pytest.approx(3.0)
    torch.testing.assert_close(state.x[0], 0.5 * v / 3.0)


@pytest.mark.parametrize("mode", MODES)
def test_a_zero_gradient_stays_zero(mode):
    settings = Settings.of(**mode, temperature=0.0, l2=0.0)
    x = torch.rand(2, *SHAPE)
    state, info = run(x, 5, settings, linear(torch.zeros(SHAPE)))
    torch.testing.assert_close(state.x, x)
    assert not info.gradient_rms.any()


def test_the_kernel_of_bidmach_equals_a_numpy_twin():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *SHAPE)).astype(np.float32)
    noise = rng.normal(size=(20, 3, *SHAPE)).astype(np.float32)
    step_size, temperature, l2, weight, rest = 0.1, 0.3, 0.2, 0.4, 0.5

    def gradient_a(x):
        return np.cos(3 * x)

    def gradient_d(x):
        return -np.sin(x)

    # BIDMach's Synthesis.mcmc, in this project's units: lrate = eps/2, noise of sd 2 sqrt(T/eps).
    twin, square_a, square_d, momentum = x.copy(), 0.0, 0.0, 0.0
    for xi in noise:
        g, d = gradient_a(twin), gradient_d(twin)
        square_a = 0.9 * square_a + 0.1 * g * g
        square_d = 0.9 * square_d + 0.1 * d * d
        whole = (1 - weight) * g / np.sqrt(square_a + 1e-8)
        whole = whole + weight * d / np.sqrt(square_d + 1e-8)
        whole = whole + 2 * np.sqrt(temperature / step_size) * xi
        whole = whole - 2 * l2 * (twin - rest)
        momentum = 0.9 * momentum + 0.1 * whole
        twin = twin + step_size / 2 * momentum

    settings = Settings.of(
        kernel="bidmach",
        step_size=step_size,
        temperature=temperature,
        l2=l2,
        discriminator_weight=weight,
    )
    kernel, parameters = kernel_of(settings), parameters_of(settings, 3)
    activation = value_and_gradient(lambda x: (torch.sin(3 * x) / 3).flatten(1).sum(1))
    log_real = value_and_gradient(lambda x: torch.cos(x).flatten(1).sum(1))
    density = density_of(activation, log_real, rest=rest)
    state = begin(torch.from_numpy(x))
    for xi in noise:
        state, _ = kernel.step(state, {"noise": torch.from_numpy(xi)}, parameters, density)
    np.testing.assert_allclose(state.x.numpy(), twin, atol=2e-5)


@given(
    low=st.floats(-2, 0),
    width=st.floats(0.1, 3),
    seed=st.integers(0, 99),
    mode=st.sampled_from(MODES),
)
def test_clamped_chains_never_leave_the_range(low, width, seed, mode):
    bounds = (low, low + width)
    settings = Settings.of(**mode, temperature=50.0, step_size=1.0)
    x = torch.full((4, *SHAPE), low)
    v = torch.full(SHAPE, 7.0)
    for steps in (1, 3):
        x = run(x, steps, settings, linear(v), seed=seed, bounds=bounds)[0].x
        assert float(x.min()) >= np.float32(bounds[0])
        assert float(x.max()) <= np.float32(bounds[1])


def test_the_discriminator_is_not_asked_while_its_weight_is_zero():
    def never(x):
        raise AssertionError("asked")

    settings = Settings.of(discriminator_weight=0.0)
    _, info = run(torch.zeros(1, *SHAPE), 1, settings, linear(torch.ones(SHAPE)), never)
    assert info.real_probability is None


def test_same_seed_same_bits_and_no_source_moves_another():
    a, b = Generators(7), Generators(7)
    first = a.normal("noise", (3, 1, 4, 4))
    b.normal("start", (5, 1, 4, 4))
    assert torch.equal(first, b.normal("noise", (3, 1, 4, 4)))
    # One chain more leaves the others' noise where it was.
    assert torch.equal(a.normal("noise", (4, 1, 4, 4))[:3], b.normal("noise", (3, 1, 4, 4)))
    assert not torch.equal(first, Generators(8).normal("noise", (3, 1, 4, 4)))


def test_generators_go_on_where_they_were_copied():
    generators = Generators(3)
    generators.normal("noise", (2, 1, 4, 4))
    copy = generators.clone()
    expected = generators.normal("noise", (2, 1, 4, 4))
    assert torch.equal(copy.normal("noise", (2, 1, 4, 4)), expected)


def test_noise_has_the_memory_layout_of_the_chains_on_which_its_numbers_depend():
    """Chains that start from clouds are laid out by channel; 0.1.0 drew their noise so, too."""
    like = torch.zeros(3, 4, 8, 8).transpose(0, 1)
    assert not like.is_contiguous()
    drawn = Generators(5).draw("noise", like)
    assert drawn.stride() == like.stride()
    as_before = torch.empty_like(like)
    for i, row in enumerate(as_before):
        row.normal_(generator=Generators(5)[f"noise/{i}"])
    assert torch.equal(drawn, as_before)
    assert not torch.equal(drawn, Generators(5).draw("noise", like.contiguous()))
