"""Langevin dynamics with momentum against the closed forms of the BAOAB splitting."""

import math

import numpy as np
import pytest
import torch

from kernel_steps import density_of, linear, run, states
from ldam_studio.sampler.kernels import State
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.preconditioner import precondition
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings
from thinned import one_in

CHAINS = 4096
SHAPE = (1, 2, 3)
EXACT = {"mode": "exact", "kernel": "underdamped"}


def steps_to_settle(step_size, friction, curvature):
    """How many steps until exp(-8) of the start is left: oscillators relax at their slower rate."""
    h = math.sqrt(step_size)
    step = np.array([[1, h / 2], [0, 1]])
    kick, drag = np.array([[1, 0], [-h * curvature, 1]]), np.diag([1, math.exp(-friction * h)])
    rate = -math.log(max(abs(np.linalg.eigvals(step @ drag @ step @ kick))))
    return math.ceil(8 / rate)


@pytest.mark.parametrize(
    ("step_size", "friction", "temperature", "l2"),
    [
        (0.1, 1.0, 0.5, 0.5),
        (0.5, 0.3, 0.1, 1.0),
        (1.0, 3.0, 2.0, 1.5),
        (0.02, 100.0, 1.0, 5.0),
        (1.9, 1.0, 0.01, 1.0),
        (0.01, 1.0, 0.5, 0.5),
    ],
)
def test_a_linear_neuron_has_the_exact_law_at_every_step_size(step_size, friction, temperature, l2):
    v, rest = torch.linspace(-1, 2, 6).reshape(SHAPE), 0.25
    settings = Settings.of(
        **EXACT, step_size=step_size, friction=friction, temperature=temperature, l2=l2
    )
    steps = steps_to_settle(step_size, friction, 2 * l2)
    state, _ = run(torch.zeros(CHAINS, *SHAPE), steps, settings, linear(v), rest=rest)
    x, velocity = state.x, state.memory["velocity"]
    variance = temperature / (2 * l2)
    assert torch.all(
        (x.mean(0) - rest - v / (2 * l2)).abs() < 5 * (variance / CHAINS) ** 0.5 + 1e-3
    )
    # 24,576 pixels: the standard error of a variance is 0.9 %.
    assert float(x.var(0).mean()) == pytest.approx(variance, rel=0.035)
    assert float(velocity.var(0).mean()) == pytest.approx(temperature, rel=0.035)
    together = ((x - x.mean(0)) * velocity).mean()
    error = math.sqrt(variance * temperature / x.numel())
    assert float(together) == pytest.approx(math.sqrt(step_size) * temperature / 2, abs=4 * error)


@pytest.mark.parametrize(("step_size", "friction", "k"), [(0.1, 1.0, 1.0), (0.9, 0.2, 3.0)])
def test_the_exact_law_is_that_of_the_linear_recursion(step_size, friction, k):
    """Solve for the covariance of (x, v) that one step leaves as it is."""
    h, c = math.sqrt(step_size), math.exp(-friction * math.sqrt(step_size))
    half, kick = np.array([[1, h / 2], [0, 1]]), np.array([[1, 0], [-h * k, 1]])
    matrix = half @ np.diag([1, c]) @ half @ kick
    noise = half @ np.array([[0, 0], [0, 1 - c * c]]) @ half.T
    found = np.linalg.solve(np.eye(4) - np.kron(matrix, matrix), noise.reshape(4)).reshape(2, 2)
    np.testing.assert_allclose(found, [[1 / k, h / 2], [h / 2, 1]], atol=1e-12)


def test_it_is_baoab_written_out():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *SHAPE)).astype(np.float32)
    kept = rng.normal(size=x.shape).astype(np.float32)
    noise = rng.normal(size=(30, *x.shape)).astype(np.float32)
    step_size, friction, temperature, l2, rest = 0.2, 0.7, 0.3, 0.2, 0.5

    def gradient(x):
        return np.cos(3 * x) - 2 * l2 * (x - rest)

    h, c = math.sqrt(step_size), math.exp(-friction * math.sqrt(step_size))
    twin, v = x.copy(), kept + h / 2 * gradient(x)
    for xi in noise:
        v = v + h / 2 * gradient(twin)
        twin = twin + h / 2 * v
        v = c * v + math.sqrt(temperature * (1 - c * c)) * xi
        twin = twin + h / 2 * v
        v = v + h / 2 * gradient(twin)

    settings = Settings.of(
        **EXACT, step_size=step_size, friction=friction, temperature=temperature, l2=l2
    )
    activation = value_and_gradient(lambda x: (torch.sin(3 * x) / 3).flatten(1).sum(1))
    kernel, parameters = kernel_of(settings), parameters_of(settings, 3)
    state = State(torch.from_numpy(x), {"velocity": torch.from_numpy(kept)})
    for xi in noise:
        drawn = {"noise": torch.from_numpy(xi)}
        state, _ = kernel.step(state, drawn, parameters, density_of(activation, rest=rest))
    np.testing.assert_allclose(state.x.numpy(), twin, atol=2e-5)
    last = state.memory["velocity"].numpy() + h / 2 * gradient(twin)
    np.testing.assert_allclose(last, v, atol=5e-5)


def test_small_steps_follow_the_damped_oscillator():
    l2, friction, time, step_size = 2.0, 0.8, 3.0, 1e-4
    settings = Settings.of(**EXACT, step_size=step_size, friction=friction, temperature=0.0, l2=l2)
    steps = round(time / math.sqrt(step_size))
    state, _ = run(torch.ones(1, 1, 1, 1), steps, settings, linear(torch.zeros(1, 1, 1)))
    damping, omega = friction / 2, math.sqrt(2 * l2 - friction**2 / 4)
    expected = math.exp(-damping * time) * (
        math.cos(omega * time) + damping / omega * math.sin(omega * time)
    )
    # The velocity that is kept begins half a kick late, which is of the order of the time step.
    assert float(state.x) == pytest.approx(expected, abs=0.02)


def test_with_much_friction_it_is_the_overdamped_step_with_the_mean_of_two_noises():
    settings = Settings.of(**EXACT, step_size=0.3, friction=1000.0, temperature=0.4, l2=0.0)
    v = torch.linspace(-1, 2, 6).reshape(SHAPE)
    kernel, parameters = kernel_of(settings), parameters_of(settings, 2)
    first, second = torch.randn((2, 2, *SHAPE), generator=torch.Generator().manual_seed(3))
    x = torch.rand(2, *SHAPE)
    state = State(x, {"velocity": first * 0.4**0.5})
    state, _ = kernel.step(state, {"noise": second}, parameters, density_of(linear(v)))
    expected = x + 0.15 * v + math.sqrt(0.3 * 0.4) * (first + second) / 2
    torch.testing.assert_close(state.x, expected)


@pytest.mark.parametrize("arithmetic", one_in(2, [2, 1]))
def test_a_preconditioned_chain_has_the_same_law(arithmetic):
    shape, chains = (2, 3, 4), 2048
    values = {"temperature": 0.5, "l2": 0.5, "step_size": 0.4, "friction": 2.0}
    settings = Settings.of(**EXACT, **values, spectrum=0.5, colour_correlation=0.5)
    v = torch.linspace(-1, 2, math.prod(shape)).reshape(shape)
    units = torch.eye(24).reshape(24, *shape)
    root = precondition(torch.zeros_like(units), units, 0.5, 0.5).reshape(24, 24).double()
    _, vectors = torch.linalg.eigh(root)
    start = torch.zeros(chains, *shape)
    state, _ = run(start, 400, settings, linear(v), rest=0.25, arithmetic=arithmetic)
    along = (state.x.flatten(1).double() - 0.25) @ vectors
    mean = v.flatten().double() @ vectors
    assert torch.all((along.mean(0) - mean).abs() < 5 * (0.5 / chains) ** 0.5 + 5e-3)
    assert torch.allclose(along.var(0), torch.full((24,), 0.5, dtype=torch.float64), rtol=0.14)
    assert float(along.var(0).mean()) == pytest.approx(0.5, rel=0.02)


def test_between_bounds_a_flat_density_is_uniform():
    settings = Settings.of(**EXACT, step_size=0.02, friction=1.0, temperature=0.5, l2=0.0)
    flat = linear(torch.zeros(SHAPE))
    going = states(torch.full((CHAINS, *SHAPE), 0.2), settings, density_of(flat, bounds=(0, 1)))
    for _ in range(300):
        state, _ = next(going)
        assert float(state.x.min()) >= 0 and float(state.x.max()) <= 1
    assert float(state.x.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(state.x.var()) == pytest.approx(1 / 12, rel=0.02)


def test_two_modes_are_visited_in_proportion_to_p():
    def mixture(x):
        x = x.flatten(1).squeeze(1)
        right = -2 * (x - 1.2).square() + math.log(3.0)
        return torch.logaddexp(-2 * (x + 1.2).square(), right)

    settings = Settings.of(**EXACT, step_size=0.01, friction=1.0, temperature=1.0, l2=0.0)
    x = 1.5 * torch.randn((CHAINS, 1, 1, 1), generator=torch.Generator().manual_seed(1))
    x = run(x, 800, settings, value_and_gradient(mixture))[0].x
    assert float((x > 0).float().mean()) == pytest.approx(0.75, abs=0.03)
