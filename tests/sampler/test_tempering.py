"""Exchanging images between temperatures: the ratio, the ladder, a target of known weights."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from kernel_steps import density_of, draw, states
from ldam_studio.sampler import tempering
from ldam_studio.sampler.kernels import KERNELS, State, begin
from ldam_studio.sampler.kernels.look import values_at
from ldam_studio.sampler.objective import Recalled, value_and_gradient
from ldam_studio.sampler.prepare import at_temperatures, kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.tempering import BAND, exchange, ladders_of, members
from thinned import one_in


def ladders(count, rungs):
    """So many ladders side by side: chains 0, 1, ... of the first, then those of the second."""
    found = ladders_of([row for row in range(count) for _ in range(rungs)], rungs, "cpu")
    assert found is not None
    return found


def test_chains_of_one_neuron_form_ladders_in_their_order():
    assert members("abababa", 2) == [[0, 2], [4, 6], [1, 3], [5]]
    found = ladders_of("abababa", 3, "cpu")
    assert found.rungs == (0, 0, 1, 1, 2, 2, 0)
    assert found.below.tolist() == [0, 1, 0, 1, 2, 3, 6]
    assert found.above.tolist() == [2, 3, 4, 5, 4, 5, 6]
    assert found.cold.tolist() == [0, 1, 0, 1, 0, 1, 6]
    assert found.cold_chains == [0, 1, 6]
    assert found.is_cold.tolist() == [True, True, False, False, False, False, True]
    assert ladders_of("abc", 4, "cpu") is None


def test_temperatures_rise_by_the_gaps_and_stop_at_a_thousand_times():
    made = tempering.begin(ladders_of("abaaa", 4, "cpu"), 4)
    gap = torch.tensor([9.0, 9.0, 0.5, 1.0, 2.0])
    warmth = tempering.replace(made, gap=gap).warmth()
    expected = torch.tensor([0.0, 0.0, 0.5, 1.5, 3.5]).exp()
    torch.testing.assert_close(warmth, expected)
    assert float(tempering.replace(made, gap=gap * 3).warmth().max()) == pytest.approx(1000)
    coldest = torch.tensor([2.0, 3.0, 2.0, 2.0, 2.0])
    own = tempering.replace(made, gap=gap, coldest=coldest).temperature()
    torch.testing.assert_close(own, expected * coldest)


def test_detailed_balance_on_four_states_also_with_factors_of_their_own():
    """Flows between any two pairs of states are equal: pi(a, b) A(a, b) = pi(b, a) A(b, a)."""
    values = torch.tensor([[0.3, -1.2, 2.0, 0.7], [1.0, 0.2, -0.5, 0.0]])  # two terms, four states
    temperature, factors = torch.tensor([0.7, 2.2]), torch.tensor([[1.0, 0.6], [-0.5, -2.0]])
    pairs = list(itertools.product(range(4), repeat=2))
    count, made = len(pairs), tempering.begin(ladders(len(pairs), 2), 4)
    gap = (temperature[1] / temperature[0]).log().expand(2 * count)
    made = tempering.replace(made, gap=gap, coldest=temperature[0].expand(2 * count))
    seen = values[:, torch.tensor(pairs).flatten()]
    found = exchange(
        made,
        seen,
        factors.repeat(1, count),
        torch.zeros(2 * count),
        turn=1,
    )
    chance = dict(zip(pairs, found.tempering.rate[1::2].tolist(), strict=True))
    law = (factors.T @ values / temperature[:, None]).exp()  # (temperatures, states)
    for cold, hot in pairs:
        there = law[0, cold] * law[1, hot] * chance[cold, hot]
        back = law[0, hot] * law[1, cold] * chance[hot, cold]
        assert float(there) == pytest.approx(float(back), rel=1e-5)
    assert min(chance.values()) < 0.1
    same = exchange(
        made,
        seen[:1],
        torch.ones(1, 2 * count),
        torch.zeros(2 * count),
        turn=1,
    )
    u = seen[0].reshape(-1, 2)
    ratio = ((1 / temperature[0] - 1 / temperature[1]) * (u[:, 1] - u[:, 0])).exp()
    torch.testing.assert_close(same.tempering.rate[1::2], ratio.clamp_max(1.0))


def test_pairs_take_turns_and_every_image_stays():
    made = tempering.begin(ladders(2, 5), 4)
    values, ones = torch.zeros(1, 10), torch.ones(1, 10)
    drawn = torch.full((10,), 0.5)
    odd = exchange(made, values, ones, drawn, 1).order
    even = exchange(made, values, ones, drawn, 2).order
    assert odd.tolist() == [1, 0, 3, 2, 4, 6, 5, 8, 7, 9]
    assert even.tolist() == [0, 2, 1, 4, 3, 5, 7, 6, 9, 8]
    still = torch.tensor([True] + 9 * [False])
    kept = exchange(made, values, ones, drawn, 1, still=still)
    assert kept.order.tolist()[:5] == [0, 1, 3, 2, 4]
    assert kept.tempering.tried.tolist() == [0, 0, 0, 1, 0, 0, 1, 0, 1, 0]


def test_values_that_are_not_finite_are_not_exchanged():
    made = tempering.begin(ladders(1, 2), 4)
    values = torch.tensor([[torch.inf, torch.nan]])
    found = exchange(made, values, torch.ones(1, 2), torch.zeros(2), 1)
    assert found.order.tolist() == [0, 1]
    assert bool(found.tempering.gap.isfinite().all())


def test_images_that_come_down_from_the_hottest_rung_are_counted():
    made = tempering.begin(ladders(1, 3), 4)
    ones, drawn = torch.ones(1, 3), torch.zeros(3)
    for turn in range(1, 7):  # all exchanges succeed
        made = exchange(made, 0 * ones, ones, drawn, turn).tempering
    assert made.trips.tolist() == [2, 0, 0]


def test_velocities_are_those_of_their_new_temperature():
    order, ratio = torch.tensor([1, 0]), torch.tensor([0.25, 4.0]).reshape(2, 1, 1, 1)
    memory = {"velocity": torch.tensor([3.0, 8.0]).reshape(2, 1, 1, 1)}
    moved = KERNELS["underdamped"].exchanged(memory, order, ratio)
    assert moved["velocity"].flatten().tolist() == [4.0, 6.0]
    assert KERNELS["mala"].exchanged({}, order, ratio) == {}


@pytest.mark.parametrize("values", [4, 50, 784])
def test_gaps_of_a_gaussian_are_right_from_the_start_and_others_become_so(values):
    count, rungs = 400, 6
    made = tempering.begin(ladders(count, rungs), values)
    generator = torch.Generator().manual_seed(3)
    wrong = tempering.replace(made, gap=made.gap * 3)
    rates = []
    for start, steps in ((made, 2), (wrong, 300)):
        for turn in range(steps):
            temperature = start.temperature()
            # U = -|x|^2 / 2 of a Gaussian with the variance T in each of its dimensions.
            squares = torch.distributions.Chi2(torch.tensor(float(values)))
            with torch.random.fork_rng():
                torch.manual_seed(turn)
                u = -temperature * squares.sample((count * rungs,)) / 2
            ones, drawn = torch.ones(1, len(u)), torch.rand(len(u), generator=generator)
            start = exchange(start, u[None], ones, drawn, turn).tempering
        rates.append(start.rate.reshape(count, rungs)[:, 1:].mean(0))
    assert rates[0].tolist() == pytest.approx([0.3] * 5, abs=0.06 if values > 4 else 0.12)
    assert all(BAND[0] < rate < BAND[1] for rate in rates[1].tolist())


SPREAD, WEIGHT = 0.1, 0.7


def two_hills(x):
    """Two Gaussians twenty standard deviations apart, the second of weight .7."""
    x = x.flatten(1)
    first = -x.square().sum(1) / (2 * SPREAD**2)
    second = -(x - 1).square().sum(1) / (2 * SPREAD**2) + math.log(WEIGHT / (1 - WEIGHT))
    return torch.logaddexp(first, second)


def tempered_states(x, settings, rungs, steps):
    """Run ladders on two hills; yield the cold images and the ladders after each step."""
    generator = torch.Generator().manual_seed(0)
    kernel, parameters = kernel_of(settings), parameters_of(settings, len(x))
    made, state = tempering.begin(ladders(len(x) // rungs, rungs), x[0].numel()), begin(x)
    for turn in range(steps):
        temperature = made.temperature().reshape(-1, 1, 1, 1)
        parameters = at_temperatures(parameters, temperature)
        recalled = Recalled(value_and_gradient(two_hills))
        density = density_of(recalled)
        values, factors = values_at(state.x, parameters, density)
        drawn = torch.rand(len(x), generator=generator)
        found = exchange(made, values, factors, drawn, turn)
        moved, made = state.x[found.order], found.tempering
        ratio = temperature / temperature[found.order]
        memory = kernel.exchanged(state.memory, found.order, ratio)
        recalled.reorder(moved, found.order)
        state = State(moved, memory)
        numbers = {name: draw(name, state.x, generator) for name in kernel.draws(state)}
        parameters = at_temperatures(parameters, made.temperature().reshape(-1, 1, 1, 1))
        state, _ = kernel.step(state, numbers, parameters, density)
        yield state.x[made.ladders.cold_chains], made


@pytest.mark.parametrize(
    ("kernel", "step_size", "steps"),
    one_in(3, [("mala", 0.008, 1500), ("langevin", 0.0005, 6000), ("underdamped", 0.002, 2000)]),
)
def test_cold_chains_find_the_weights_of_modes_that_single_chains_never_leave(
    kernel, step_size, steps
):
    settings = Settings.of(mode="exact", kernel=kernel, step_size=step_size, l2=0.0, temperature=1)
    start = 0.05 * torch.randn((200, 1, 2, 2), generator=torch.Generator().manual_seed(1))
    going = states(start, settings, density_of(value_and_gradient(two_hills)))
    for _ in range(1000):
        single, _ = next(going)
    assert float(single.x.mean((1, 2, 3)).max()) < 0.5
    rungs, many = 5, 100
    x = 0.05 * torch.randn((many * rungs, 1, 2, 2), generator=torch.Generator().manual_seed(2))
    shares, spreads = [], []
    for step, (cold, made) in enumerate(tempered_states(x, settings, rungs, steps)):  # noqa: B007
        if step >= steps / 3:
            shares.append((cold.mean((1, 2, 3)) > 0.5).float())
            spreads.append((cold - cold.mean((1, 2, 3), keepdim=True).round()).square().mean())
    share = torch.stack(shares).mean(0)  # of each ladder, which are independent
    error = float(share.std()) / math.sqrt(many)
    assert error < 0.03
    assert float(share.mean()) == pytest.approx(WEIGHT, abs=4 * error)
    # Within a mode, the cold chains have the variance of their temperature alone.
    assert float(torch.stack(spreads).mean()) == pytest.approx(SPREAD**2, rel=0.04)
    rates = made.rate.reshape(many, rungs)[:, 1:].mean(0)
    assert all(BAND[0] < rate < BAND[1] for rate in rates.tolist())
    assert float(made.trips.sum()) > many
