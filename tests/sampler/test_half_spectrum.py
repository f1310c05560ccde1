"""Arithmetic 2: the preconditioned step in Fourier space is the same step with other noise."""

from __future__ import annotations

import math

import pytest
import torch

from kernel_steps import density_of
from ldam_studio.sampler.half_spectrum import step_in_waves, strength, waves_of
from ldam_studio.sampler.kernels import begin
from ldam_studio.sampler.kernels.parameters import Parameters
from ldam_studio.sampler.preconditioner import precondition
from ldam_studio.sampler.preconditioner import strength as strength_before
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings

SIZES = [(8, 8), (5, 7), (6, 9), (1, 4), (4, 1), (3, 2)]
CASES = [(0.5, 0.0, 0.0), (1.0, 0.8, 2.5), (0.5, 0.85, 0.0)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_drift_and_covariance_are_those_of_the_preconditioner(channels, size, case):
    """Its matrices, read off their action on unit images, are P, and a root A with A A^T = P."""
    shape = (channels, *size)
    count = math.prod(shape)
    units = torch.eye(count).reshape(count, *shape)
    root = precondition(torch.zeros_like(units), units, *case).reshape(count, count)
    stirred = step_in_waves(None, units, size, *case).reshape(count, count)
    assert torch.allclose(stirred.T @ stirred, root @ root, atol=3e-5)
    drifted = step_in_waves(waves_of(units), None, size, *case).reshape(count, count)
    assert torch.allclose(drifted, root @ root, atol=3e-5)
    both = step_in_waves(waves_of(units), units, size, *case).reshape(count, count)
    assert torch.allclose(both, drifted + stirred, atol=3e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_the_strength_is_that_of_the_pixels(size, case):
    x = torch.randn(4, 3, *size, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(strength(waves_of(x), size[1], *case), strength_before(x, *case))


def test_many_chains_move_as_they_would_alone():
    x = torch.randn(9, 3, 130, 170, generator=torch.Generator().manual_seed(2))
    noise, case = x.flip(0), (0.5, 0.8, 3.0)
    together = step_in_waves(waves_of(x), noise, (130, 170), *case)
    for number in (0, 4, 8):
        one = slice(number, number + 1)
        alone = step_in_waves(waves_of(x[one]), noise[one], (130, 170), *case)
        assert torch.allclose(alone, together[one], atol=1e-6)


@pytest.mark.parametrize("values", [{"mode": "exact"}, {"mode": "normalised"}])
@pytest.mark.parametrize("kernel", ["langevin", "underdamped", "mala", "bidmach"])
def test_without_noise_a_step_is_the_same_but_for_rounding(kernel, values):
    """All terms at once."""
    generator = torch.Generator().manual_seed(3)
    x, pull, push = torch.randn((3, 2, 3, 12, 10), generator=generator)
    settings = Settings.of(
        kernel=kernel,
        step_size=0.2,
        temperature=0.0,
        l2=0.2,
        natural_l2=0.1,
        smoothness=0.1,
        discriminator_weight=0.3,
        spectrum=0.5,
        spectrum_floor=2,
        colour_correlation=0.8,
        **values,
    )
    moved = []
    for arithmetic in (1, 2):
        parameters = parameters_of(settings, 2, arithmetic=arithmetic)
        density = density_of(
            lambda x: ((x * pull).sum((1, 2, 3)), pull),
            lambda x: ((x * push).sum((1, 2, 3)), push),
            rest=0.5,
            unrooted=parameters.unrooted,
        )
        drawn = {"noise": x, "velocity": x, "accept": torch.full((2,), 0.5)}
        state, _ = kernel_of(settings).step(begin(x), drawn, parameters, density)
        moved.append(state.x)
    torch.testing.assert_close(moved[1], moved[0], atol=1e-5, rtol=1e-5)
    assert not torch.equal(moved[0], x) or kernel == "mala"


def test_without_a_spectrum_not_one_bit_changes():
    x = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(4))

    def moved(settings: Settings, arithmetic: int) -> torch.Tensor:
        parameters: Parameters = parameters_of(settings, 2, arithmetic=arithmetic)
        density = density_of(lambda x: (x.sum((1, 2, 3)), x))
        return kernel_of(settings).step(begin(x), {"noise": x}, parameters, density)[0].x

    for settings in (Settings(), Settings.of(colour_correlation=0.5)):
        assert torch.equal(moved(settings, 1), moved(settings, 2))
