"""The Metropolis-adjusted chain: exact at any step size, on laws that are known."""

import math

import pytest
import torch

from kernel_steps import density_of, draw, linear, run, states
from ldam_studio.sampler.kernels import begin
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.preconditioner import precondition
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.terms.smoothness import total_variation
from thinned import one_in

CHAINS = 4096
MALA = {"kernel": "mala"}


def gaussian_start(mean, variance, shape, seed=5):
    noise = torch.randn((CHAINS, *shape), generator=torch.Generator().manual_seed(seed))
    return mean + math.sqrt(variance) * noise


@pytest.mark.parametrize("mode", ["exact", "normalised"])
@pytest.mark.parametrize("product", one_in(3, [0.1, 0.8, 1.6, 3.0]))  # of step size and L2 weight
def test_mean_and_variance_are_exact_at_any_step_size(product, mode):
    """Also beyond 2, where the plain chain explodes."""
    v, rest, l2, temperature = torch.tensor([[[0.5, -1.0]]]), 0.25, 1.0, 0.5
    settings = Settings.of(
        **MALA, mode=mode, step_size=product / l2, temperature=temperature, l2=l2
    )
    x, steps = torch.zeros(CHAINS, 1, 1, 2), 600
    going = states(x, settings, density_of(linear(v), rest=rest))
    accepted = torch.stack([next(going)[1].acceptance.mean() for _ in range(steps - 1)])
    x = next(going)[0].x
    variance = temperature / (2 * l2)
    error = math.sqrt(variance / CHAINS)
    assert torch.all((x.mean(0) - rest - v / (2 * l2)).abs() < 4.5 * error)
    # 8,192 values: the standard error of their variance is 1.6 %.
    assert float(x.var(0).mean()) == pytest.approx(variance, rel=0.06)
    assert 0 < float(accepted.mean()) < 1


def test_it_leaves_its_law_as_it_is_and_is_in_detailed_balance():
    l2, temperature = 1.0, 0.5
    settings = Settings.of(**MALA, step_size=1.2, temperature=temperature, l2=l2)
    x = gaussian_start(0.0, temperature / (2 * l2), (1, 1, 2))
    flat = linear(torch.zeros(1, 1, 2))
    there, back, last = [], [], x
    going = states(x, settings, density_of(flat))
    for _ in range(100):
        state, _ = next(going)
        there.append((last * state.x**3).mean())
        back.append((last**3 * state.x).mean())
        last = state.x
    difference = torch.stack(there) - torch.stack(back)
    spread = float(difference.std()) / math.sqrt(len(difference))
    assert abs(float(difference.mean())) < 4 * spread
    assert float(torch.stack(there).mean()) > 20 * spread
    assert float(last.var()) == pytest.approx(0.25, rel=0.06)
    assert float((last**4).mean()) == pytest.approx(3 * 0.25**2, rel=0.15)


def mixture(x):
    """Two modes at -1.2 and 1.2, the right one three times as heavy."""
    x = x.flatten(1).squeeze(1)
    return torch.logaddexp(-2 * (x + 1.2).square(), -2 * (x - 1.2).square() + math.log(3.0))


@pytest.mark.parametrize(
    ("step_size", "temperature"), one_in(3, [(0.4, 1.0), (0.6, 1.0), (0.6, 2.0)])
)
def test_two_modes_have_their_weights_where_the_plain_chain_is_biased(step_size, temperature):
    grid = torch.linspace(-8, 8, 8001, dtype=torch.float64)
    density = (mixture(grid.reshape(-1, 1, 1, 1)) / temperature).exp()
    density /= density.sum()
    weight, square = float(density[grid > 0].sum()), float((density * grid**2).sum())
    spread = math.sqrt(float((density * grid**4).sum()) - square**2)
    # Chains are independent, so that there are as many samples as chains.
    weight_error = math.sqrt(weight * (1 - weight) / CHAINS)
    square_error = spread / math.sqrt(CHAINS)
    start = 1.5 * torch.randn((CHAINS, 1, 1, 1), generator=torch.Generator().manual_seed(1))
    found = {}
    for kernel in ("mala", "langevin"):
        settings = Settings.of(
            mode="exact", kernel=kernel, step_size=step_size, temperature=temperature, l2=0.0
        )
        x = run(start, 1000, settings, value_and_gradient(mixture), seed=2)[0].x
        found[kernel] = float((x > 0).float().mean()), float(x.square().mean())
    assert found["mala"][0] == pytest.approx(weight, abs=4 * weight_error)
    assert found["mala"][1] == pytest.approx(square, abs=4 * square_error)
    assert abs(found["langevin"][1] - square) > 5 * square_error
    if step_size > 0.5:
        assert abs(found["langevin"][0] - weight) > 5 * weight_error


@pytest.mark.thorough
def test_a_preconditioned_chain_has_the_same_law():
    shape, temperature, l2 = (2, 2, 2), 0.5, 0.5
    settings = Settings.of(
        **MALA,
        step_size=0.5,
        temperature=temperature,
        l2=l2,
        spectrum=0.5,
        colour_correlation=0.5,
    )
    v = torch.linspace(-1, 2, 8).reshape(shape)
    x = run(torch.zeros(CHAINS, *shape), 250, settings, linear(v), rest=0.25)[0].x
    error = math.sqrt(0.5 / CHAINS)
    assert torch.all((x.mean(0) - 0.25 - v / (2 * l2)).abs() < 4.5 * error)
    assert float(x.var(0).mean()) == pytest.approx(0.5, rel=0.04)
    centred = (x - x.mean(0)).flatten(1)
    apart = (centred.T @ centred / CHAINS - 0.5 * torch.eye(8)).abs().max()
    assert float(apart) < 5 * 0.5 * math.sqrt(2 / CHAINS)


@pytest.mark.parametrize("coloured", [0.0, 0.6])
def test_the_test_is_that_of_metropolis_and_hastings(coloured):
    """All terms at once, against Gaussian densities of proposals written out."""
    shape, chains, eps, t, lam, w, beta = (3, 3, 4), 400, 0.1, 0.7, 0.3, 0.4, 0.2
    mu, floor = 0.25, 1.5
    units = torch.eye(36).reshape(36, *shape)
    root = precondition(torch.zeros_like(units), units, coloured, coloured, floor)
    root = root.reshape(36, 36).double()
    generator = torch.Generator().manual_seed(8)
    x = torch.randn((chains, *shape), generator=generator)

    def a(x):
        return torch.sin(2 * x).flatten(1).sum(1)

    def log_real(x):
        return -torch.cosh(x / 2).flatten(1).sum(1)

    def u(x):
        rest = (x - 0.2).square().flatten(1).sum(1)
        white = (x - 0.2).flatten(1) @ torch.linalg.inv(root).to(x.dtype)
        natural = mu * white.square().sum(1)
        return (1 - w) * a(x) + w * log_real(x) - lam * rest - natural - beta * total_variation(x)

    settings = Settings.of(
        **MALA,
        step_size=eps,
        temperature=t,
        l2=lam,
        discriminator_weight=w,
        smoothness=beta,
        natural_l2=mu,
        spectrum=coloured,
        spectrum_floor=floor,
        colour_correlation=coloured,
    )
    kernel, parameters = kernel_of(settings), parameters_of(settings, chains)
    density = density_of(
        value_and_gradient(a),
        value_and_gradient(log_real),
        rest=0.2,
        unrooted=parameters.unrooted,
    )
    drawn = {name: draw(name, x, generator) for name in ("noise", "accept")}
    state, info = kernel.step(begin(x), drawn, parameters, density)

    def mean_from(x):
        gradient = value_and_gradient(u)(x)[1].flatten(1)
        return x.flatten(1) + eps / 2 * gradient @ root @ root

    def log_q(to, start):
        apart = (to.flatten(1) - mean_from(start)) @ torch.linalg.inv(root)
        return -apart.square().sum(1) / (2 * eps * t)

    x = x.double()
    noise = drawn["noise"].double().flatten(1) @ root
    to = (mean_from(x) + math.sqrt(eps * t) * noise).reshape(x.shape)
    log_a = (u(to) - u(x)) / t + log_q(x, to) - log_q(to, x)
    margin = log_a - drawn["accept"].double().log()
    clear = margin.abs() > 1e-3
    assert clear.float().mean() > 0.98
    assert 0.2 < float(info.acceptance.mean()) < 0.98
    assert torch.equal(info.acceptance[clear] > 0, margin[clear] > 0)
    expected = torch.where((info.acceptance > 0).reshape(-1, 1, 1, 1), to.float(), x.float())
    torch.testing.assert_close(state.x, expected, atol=1e-5, rtol=1e-5)


def test_between_bounds_it_samples_what_lies_between_them():
    slope, temperature = 1.5, 0.5
    settings = Settings.of(**MALA, step_size=0.2, temperature=temperature, l2=0.0)
    v = torch.full((1, 1, 1), slope)
    going = states(
        torch.full((CHAINS, 1, 1, 1), 0.5), settings, density_of(linear(v), bounds=(0, 1))
    )
    for _ in range(200):
        state, _ = next(going)
    k = slope / temperature
    mean = 1 / (1 - math.exp(-k)) - 1 / k
    assert float(state.x.mean()) == pytest.approx(mean, abs=0.02)
    assert float(state.x.min()) >= 0 and float(state.x.max()) <= 1


def test_chains_outside_new_bounds_are_brought_inside():
    settings = Settings.of(**MALA, step_size=1e-6)
    density = density_of(linear(torch.zeros(1, 1, 1)), bounds=(0.0, 1.0))
    kernel, parameters = kernel_of(settings), parameters_of(settings, 2)
    state = begin(torch.tensor([-3.0, 7.0]).reshape(2, 1, 1, 1))
    drawn = {"noise": torch.zeros_like(state.x), "accept": torch.full((2,), 0.5)}
    state, _ = kernel.step(state, drawn, parameters, density)
    assert torch.all((state.x >= 0) & (state.x <= 1))


def test_at_zero_temperature_it_only_climbs():
    def wave(x):
        return torch.sin(3 * x).flatten(1).sum(1)

    settings = Settings.of(**MALA, step_size=0.4, temperature=0.0, l2=0.1)
    x = torch.randn((20, 1, 1, 2), generator=torch.Generator().manual_seed(0))
    before = torch.full((20,), -torch.inf)
    density = density_of(value_and_gradient(wave))
    for _, (state, _) in zip(range(30), states(x, settings, density), strict=False):
        u = wave(state.x) - 0.1 * state.x.square().flatten(1).sum(1)
        assert torch.all(u >= before - 1e-6)
        before = u
    assert torch.all(before > wave(x) - 0.1 * x.square().flatten(1).sum(1) - 1e-6)


def test_proposals_that_leave_the_finite_numbers_are_rejected():
    cliff = value_and_gradient(lambda x: x.flatten(1).sum(1).sqrt())  # NaN below 0
    settings = Settings.of(**MALA, step_size=1.0, temperature=50.0, l2=0.0)
    state, _ = run(torch.ones(200, 1, 1, 1), 50, settings, cliff)
    assert torch.all(state.x > 0)


def test_a_chain_that_is_led_is_not_tested():
    led = torch.tensor([True, False])
    hill = value_and_gradient(lambda x: -1e6 * x.square().flatten(1).sum(1))
    settings = Settings.of(**MALA, step_size=1.0, temperature=1.0, l2=0.0)
    density = density_of(hill, led=lambda: led)
    kernel, parameters = kernel_of(settings), parameters_of(settings, 2)
    state = begin(torch.ones(2, 1, 1, 1))
    drawn = {"noise": torch.ones_like(state.x), "accept": torch.full((2,), 0.5)}
    _, info = kernel.step(state, drawn, parameters, density)
    assert info.acceptance.tolist() == [1.0, 0.0]
