"""Melting takes until the images have dissolved, on fast networks and on slow ones."""

from __future__ import annotations

import threading

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import MOST_HEAT
from ldam_studio.engine.melting import (
    DISSOLVED,
    LEAST_S,
    MOST_S,
    REST_S,
    Melting,
    correlation,
)
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import MELT_HEAT, snapshot
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def settled(**settings):
    network = open_network("lenet")
    spec = SessionSpec(network, network.default_neurons(3), Settings.of(**settings), seed=3)
    state = open_session(spec)
    for _ in range(10):
        state, _ = advance(state)
    return state


def melt(state, step_s, most=2000):
    """Melt a session whose steps take `step_s` seconds; return it, the changes, the seconds."""
    clock, made = Clock(), []
    melting = Melting(clock)
    state, _ = advance(state, [Change("heat", MELT_HEAT)], 0)
    for _ in range(most):
        melting.before_step(state)
        state, _ = advance(state)
        clock.now += step_s
        changes = melting.after_step(state)
        made += changes
        state, info = advance(state, changes, 0)
        assert not info.refused
        if state.heat == 1:
            return state, made, clock.now
    raise AssertionError("it never cooled")


@pytest.mark.parametrize("step_s", [0.02, 0.25])
@pytest.mark.parametrize("temperature", [0.01, 1e-5])
def test_it_lasts_until_nothing_is_left_of_the_images(step_s, temperature):
    state = settled(temperature=temperature, clamp=True)
    before = state.lane.chains.x
    state, changes, seconds = melt(state, step_s)
    assert LEAST_S <= seconds <= MOST_S + step_s
    if seconds < MOST_S:
        assert correlation(state.lane.chains.x, before).mean() < DISSOLVED
    assert changes[-1] == Change("heat", 1.0)


def test_the_average_shows_nothing_of_what_was_before():
    state = settled(temperature=0.01, clamp=True)
    for _ in range(3):
        state, _ = advance(state, [], 100)
    assert state.lane.average.count.max() > 0
    state, _, _ = melt(state, 0.25)
    assert state.lane.average.count.max() == 0


def test_what_a_hundredfold_does_not_melt_gets_hotter():
    _, changes, _ = melt(settled(temperature=1e-5, clamp=True), 0.25)
    heats = [change.value for change in changes if change.name == "heat"][:-1]
    assert heats == [MELT_HEAT * 4**n for n in range(1, len(heats) + 1)]
    assert len(heats) > 1


def test_without_noise_it_ends_after_ten_seconds():
    _, changes, seconds = melt(settled(temperature=0.0), 0.5)
    assert seconds == MOST_S
    assert changes[-1] == Change("heat", 1.0)


def test_a_schedule_runs_again_after_it():
    state = settled(schedule=8, step_size_start=0.5)
    assert state.lane.clock.steps == 10
    state, changes, _ = melt(state, 0.25)
    assert changes[-2:] == [Change("heat", 1.0), Change("run_schedule")]
    assert state.lane.clock.steps == 0


def test_time_at_rest_does_not_count():
    clock = Clock()
    melting = Melting(clock)
    state, _ = advance(settled(temperature=0.0), [Change("heat", MELT_HEAT)], 0)
    melting.before_step(state)
    for _ in range(3):
        clock.now += MOST_S - 1
        melting.rest()
        assert melting.after_step(state) == ()


def test_steps_after_a_rest_go_on_with_the_melt():
    clock = Clock()
    melting = Melting(clock)
    state, _ = advance(settled(temperature=0.0), [Change("heat", MOST_HEAT)], 0)
    melting.before_step(state)
    for _ in range(3):
        clock.now += 60
        melting.rest()
        melting.before_step(state)
        clock.now += MOST_S / 3
        changes = melting.after_step(state)
    assert changes == (Change("reset_average"), Change("heat", 1.0))


def test_single_steps_melt_cool_and_replay(tmp_path):
    clock = Clock()
    runner = Runner(settled(temperature=0.05, clamp=True))
    runner._melting = Melting(clock)
    thread = threading.Thread(target=runner.run)
    thread.start()

    def heat(state):
        clock.now += 3600  # from one step to the next
        return state.heated

    try:
        runner.post("heat", MELT_HEAT)
        heats = []
        while not heats or heats[-1] > 1:
            runner.step()
            heats.append(runner.ask(heat).result(20))
            assert len(heats) < 500, "it never cooled"
        assert len(heats) >= LEAST_S / REST_S
        runner.step(3)
        state = runner.ask(snapshot).result(20)
    finally:
        runner.close()
        thread.join(20)
    assert not thread.is_alive()
    export(state, Shown("raw", 0, "image"), tmp_path / "cooled.png")
    assert compare(tmp_path / "cooled.png").identical


def test_the_correlation_is_that_of_the_pixels():
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    y = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    pairs = [torch.stack([x[i].flatten(), y[i].flatten()]) for i in range(4)]
    expected = [torch.corrcoef(pair)[0, 1] for pair in pairs]
    assert torch.allclose(correlation(x, y), torch.stack(expected), atol=1e-6)
    assert torch.allclose(correlation(x, 3 * x + 2), torch.ones(4))
    assert correlation(torch.zeros(1, 1, 8, 8), x).tolist() == [1.0]
