"""Preconditioning by frequency and colour: the law stays, the way there changes."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kernel_steps import density_of, linear, run
from ldam_studio.sampler.kernels import begin
from ldam_studio.sampler.preconditioner import clouds, precondition, strength, unrooted
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings
from thinned import one_in

SIZES = [(8, 8), (5, 7), (6, 9), (1, 4)]


def matrix(shape, exponent, correlation, floor=0.0):
    """R as a matrix, read off its action on each unit image."""
    count = math.prod(shape)
    units = torch.eye(count).reshape(count, *shape)
    still = torch.zeros_like(units)
    return precondition(still, units, exponent, correlation, floor).reshape(count, count)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("floor", [0.0, 2.5])
@pytest.mark.parametrize(("exponent", "correlation"), [(0.5, 0.0), (1.0, 0.8), (0.0, 0.9)])
def test_the_operator_is_the_root_of_a_positive_matrix_of_unit_mean(
    size, exponent, correlation, floor
):
    shape, settings = (3, *size), (exponent, correlation, floor)
    root = matrix(shape, *settings)
    assert torch.allclose(root, root.T, atol=1e-5)
    values = torch.linalg.eigvalsh(root)
    assert values.min() > 0
    assert float(values.square().mean()) == pytest.approx(1, rel=1e-4)
    drift = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    moved = precondition(drift, torch.zeros_like(drift), *settings)
    expected = (drift.flatten(1) @ (root @ root)).reshape(drift.shape)
    assert torch.allclose(moved, expected, atol=1e-4)
    norms = (drift.flatten(1) @ root).norm(dim=1)
    assert torch.allclose(strength(drift, *settings), norms, rtol=1e-4)
    rooted = (drift.flatten(1) @ root).reshape(drift.shape)
    assert torch.allclose(unrooted(rooted, *settings), drift, atol=1e-4)


def test_below_the_floor_all_frequencies_go_equally_far():
    across = torch.arange(16) / 16
    waves = torch.stack([torch.cos(2 * math.pi * k * across) for k in range(9)])
    waves = waves.view(9, 1, 1, 16).repeat(1, 1, 16, 1)
    still = torch.zeros_like(waves)

    def gains(floor):
        moved = precondition(still, waves, 0.5, 0.0, floor)
        return (moved * waves).mean((1, 2, 3)) / waves.square().mean((1, 2, 3))

    assert torch.equal(gains(0.0), gains(1.0))
    found = gains(4.0)
    torch.testing.assert_close(found[:5], found[:1].expand(5))
    torch.testing.assert_close(found[5:] / found[4], (torch.arange(5, 9) / 4) ** -0.5)
    torch.testing.assert_close(gains(100.0), torch.ones(9))


@pytest.mark.parametrize(
    ("kernel", "arithmetic"),
    one_in(
        3,
        [("langevin", 1), ("underdamped", 1), ("underdamped", 2), ("langevin", 2), ("mala", 2)],
    ),
)
def test_natural_l2_gives_the_spectrum_of_the_preconditioner(kernel, arithmetic):
    """In the coordinates R^-1 (x - r) the chain is that of L2 without a preconditioner."""
    shape, step_size, temperature, weight, chains = (2, 3, 4), 0.6, 0.5, 0.8, 4096
    v = torch.linspace(-1, 2, math.prod(shape)).reshape(shape)
    settings = Settings.of(
        mode="exact",
        kernel=kernel,
        step_size=step_size,
        temperature=temperature,
        l2=0.0,
        natural_l2=weight,
        spectrum=0.5,
        spectrum_floor=1.2,
        colour_correlation=0.5,
    )
    root = matrix(shape, 0.5, 0.5, 1.2).double()
    start = torch.zeros(chains, *shape)
    state, _ = run(start, 80, settings, linear(v), rest=0.25, arithmetic=arithmetic)
    white = (state.x.flatten(1).double() - 0.25) @ torch.linalg.inv(root)
    mean = root @ v.flatten().double() / (2 * weight)
    error = 1 / (1 - step_size * weight / 2) if kernel == "langevin" else 1.0
    variance = temperature / (2 * weight) * error
    deviation = math.sqrt(variance / chains)
    assert torch.all((white.mean(0) - mean).abs() < 4.5 * deviation)
    covariance = torch.cov(white.T)
    expected = variance * torch.eye(24, dtype=torch.float64)
    assert float((covariance - expected).abs().max()) < 5 * variance * math.sqrt(2 / chains)
    assert float(covariance.diagonal().mean()) == pytest.approx(variance, rel=0.03)


def test_without_exponent_and_correlation_it_adds():
    drift, noise = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    assert torch.equal(precondition(drift, noise, 0.0, 0.0), drift + noise)
    grey = torch.rand(2, 1, 4, 4)
    assert torch.equal(precondition(grey, grey, 0.0, 0.9), 2 * grey)


def test_broad_features_and_brightness_go_further():
    root = matrix((3, 8, 8), 1.0, 0.8)
    flat = torch.ones(3, 8, 8).flatten()
    checks = flat * torch.tensor([1.0, -1.0]).repeat(96)
    hue = torch.tensor([1.0, -1.0, 0.0]).repeat_interleave(64)
    further = [float((root @ image).norm() / image.norm()) for image in (flat, hue, checks)]
    assert further[0] > further[1] > further[2]


@pytest.mark.parametrize("arithmetic", [1, 2])
def test_a_linear_neuron_keeps_its_mean_and_has_the_variance_of_the_discrete_chain(arithmetic):
    """Along each eigenvector with eigenvalue P the chain is that of step size eps P."""
    shape, step_size, temperature, l2, chains = (2, 3, 4), 0.4, 0.5, 0.5, 2048
    v = torch.linspace(-1, 2, math.prod(shape)).reshape(shape)
    settings = Settings.of(
        mode="exact",
        step_size=step_size,
        temperature=temperature,
        l2=l2,
        spectrum=0.5,
        colour_correlation=0.5,
    )
    root = matrix(shape, 0.5, 0.5).double()
    eigen, vectors = torch.linalg.eigh(root @ root)
    steps = math.ceil(6 / (step_size * l2 * float(eigen.min())))
    start = torch.zeros(chains, *shape)
    state, _ = run(start, steps, settings, linear(v), rest=0.25, arithmetic=arithmetic)
    along = (state.x.flatten(1).double() - 0.25) @ vectors
    mean = (v.flatten().double() / (2 * l2)) @ vectors
    variance = temperature / (2 * l2) / (1 - step_size * l2 * eigen / 2)
    error = (variance / chains).sqrt()
    assert torch.all((along.mean(0) - mean).abs() < 5 * error + 5e-3)
    assert torch.allclose(along.var(0), variance, rtol=0.12)
    assert float((along.var(0) / variance).mean()) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("mode", [{"mode": "exact"}, {"mode": "normalised"}, {"kernel": "bidmach"}])
def test_settings_at_zero_change_nothing(mode):
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    density = density_of(lambda x: (x.sum((1, 2, 3)), x))

    def moved(**values):
        settings = Settings.of(**mode, **values)
        step = kernel_of(settings).step
        return step(begin(x), {"noise": noise}, parameters_of(settings, 2), density)[0].x

    assert torch.equal(moved(), moved(spectrum=0, colour_correlation=0))
    assert torch.equal(moved(), moved(spectrum_floor=3))
    assert torch.equal(moved(spectrum=0.5), moved(spectrum=0.5, spectrum_floor=0, natural_l2=0))
    assert torch.equal(moved(l2=0, natural_l2=0.2), moved(l2=0.2))
    assert not torch.allclose(moved(), moved(spectrum=0.5))
    assert not torch.allclose(moved(), moved(colour_correlation=0.5))


def test_clouds_fall_off_with_frequency_and_are_as_strong_as_the_noise():
    noise = torch.randn((400, 3, 32, 32), generator=torch.Generator().manual_seed(3))
    made = clouds(noise, 1.0, 0.6)
    assert float(made.square().mean()) == pytest.approx(1, rel=0.02)
    power = torch.fft.rfft2(made, norm="ortho").abs().square().mean((0, 1))
    # From 2 to 8 periods across the image the power falls by the square of their ratio.
    assert float(power[0, 2] / power[0, 8]) == pytest.approx(16, rel=0.3)
    red, green = made[:, 0].flatten(), made[:, 1].flatten()
    assert float(torch.corrcoef(torch.stack([red, green]))[0, 1]) == pytest.approx(0.6, abs=0.02)
    assert clouds(noise, 0.0, 0.6) is noise
    assert clouds(noise[:0], 1.0, 0.6).shape == (0, *noise.shape[1:])


def test_a_device_without_double_precision_is_asked_for_none():
    class Single(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            made = func(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made.device.type == "meta":
                assert made.dtype in (torch.float32, torch.complex64)
            return made

    x = torch.empty((2, 3, 12, 11), device="meta")
    with Single():
        assert precondition(x, x, 1.0, 0.5).shape == x.shape


@pytest.mark.parametrize("arithmetic", [1, 2])
@pytest.mark.parametrize(("exponent", "correlation"), [(0.0, 0.0), (0.5, 0.8), (1.0, 0.0)])
def test_normalised_gradients_have_unit_strength_where_the_noise_is_white(
    exponent, correlation, arithmetic
):
    """A flat gradient goes as far as R lets it, not as R R would throw it."""
    settings = Settings.of(
        mode="normalised",
        step_size=0.5,
        temperature=0.0,
        discriminator_weight=0.5,
        l2=0.0,
        spectrum=exponent,
        colour_correlation=correlation,
    )
    x = torch.zeros(1, 3, 8, 8)
    flat, silent = 7 * torch.ones_like(x), torch.zeros_like(x)
    root = matrix((3, 8, 8), exponent, correlation)
    expected = 0.125 * float((root @ torch.ones(192)).norm()) / 192**0.5
    for pulls in [(flat, silent), (silent, flat)]:
        sources = [lambda x, g=gradient: (torch.zeros(1), g) for gradient in pulls]
        state, _ = run(x, 1, settings, *sources, arithmetic=arithmetic)
        moved = float(state.x.square().mean().sqrt())
        assert moved == pytest.approx(expected, rel=1e-4)
