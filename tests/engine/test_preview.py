"""Previews of the front chain within a step: quick, right, and without effect on the session."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from ldam_studio.engine import preview
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.preview import Previews
from ldam_studio.engine.reports import Reports
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.settings import Settings
from thinned import one_in

PATIENCE = 20.0
FRONT = 1


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Make previews also within quick steps, one at each place where a step gives way."""
    monkeypatch.setattr(preview, "SLOW_S", -1.0)
    monkeypatch.setattr(preview, "REST", 0.0)


def with_previews(state, *changes):
    """Take a step, with a preview of these changes wherever it gives way."""
    shown, numbers = [], iter(range(1, 10**6))
    previews = Previews(
        lambda: (next(numbers), list(changes)), lambda front: front == FRONT, shown.append
    )
    first = Reports().frame(state, FrameRequest(FRONT), steps_per_second=0, commands_seen=0)
    previews.after(first)
    with previews.within_step(state):
        state, info = advance(state)
    previews.close()
    return state, info, shown


def same(one, other):
    sources = [state.generators.state() for state in (one, other)]
    assert sources[0].keys() == sources[1].keys()
    return all(
        torch.equal(a.chains.x, b.chains.x) and torch.equal(a.average.mean, b.average.mean)
        for a, b in zip(one.lanes, other.lanes, strict=True)
    )


KINDS = [
    {},
    {"kernel": "underdamped"},
    {"kernel": "mala", "mode": "exact"},
    {"kernel": "bidmach", "jitter": 2, "views": 2},
    {"spectrum": 1.0, "schedule": 4, "step_size_start": 0.3, "view_rotation": 5.0},
    {"discriminator_weight": 0.5, "smoothness": 0.1, "temperature": (0.0, 0.1, 0.2)},
]


@pytest.mark.parametrize("settings", one_in(2, KINDS))
def test_steps_are_the_same_with_previews_within(open_one, untrained_discriminator, settings):
    start = open_one(discriminator=untrained_discriminator, **settings)
    plain, seen = snapshot(start), snapshot(start)
    moved = [Change("temperature", 5.0), Change("l2", 2.0), Change("kernel", "langevin")]
    for _ in range(3):
        plain, _ = advance(plain)
        seen, _, shown = with_previews(seen, *moved)
        assert len(shown) > 4
        assert same(plain, seen)
    assert seen.log == plain.log and seen.lane.settings == start.lane.settings


def test_a_forward_pass_that_is_observed_does_not_see_previews():
    """For these class values, a mode of torch counts the rectifiers of the network's own pass."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(1, 5, 3),
        nn.ReLU(),
        nn.Conv2d(5, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    network = Network("ends so", module, PixelSpec(1, 12, 12, (0.5,), (0.5,)))
    spec = SessionSpec(network, network.default_neurons(3), Settings.of(objective="mix"), seed=2)
    plain, seen = open_session(spec), open_session(spec)
    for _ in range(3):
        plain, _ = advance(plain)
        seen, _, shown = with_previews(seen, Change("temperature", 5.0))
        assert shown and same(plain, seen)


class Sloped(nn.Module):
    """Adds the slope of a function, which torch.func finds."""

    def forward(self, x):
        return x + torch.func.grad(lambda each: each.square().sum())(x)


def test_a_network_that_cannot_give_way_runs_without_previews():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(1, 5, 3), Sloped(), nn.Flatten(), nn.Linear(500, 4))
    network = Network("sloped", module, PixelSpec(1, 12, 12, (0.5,), (0.5,)))
    spec = SessionSpec(network, network.default_neurons(3), Settings(), seed=2)
    plain, seen = open_session(spec), open_session(spec)
    plain, _ = advance(plain)
    seen, _, shown = with_previews(seen, Change("temperature", 5.0))
    assert not shown and same(plain, seen)


def test_a_preview_is_a_step_of_the_front_chain_with_the_new_settings(open_one, lenet):
    state = open_one(mode="exact", temperature=0.3, l2=0.5, step_size=0.1)
    for _ in range(3):
        state, _ = advance(state)
    x = state.lane.chains.x[FRONT : FRONT + 1].clone().requires_grad_(True)
    lenet.module(lenet.normalise(x))[0, state.lane.neurons[FRONT].index].backward()
    changes = Change("temperature", 0.0), Change("l2", (0.1, 0.2, 0.3))
    _, _, shown = with_previews(state, *changes)
    drift = x.grad - 2 * 0.2 * (x - lenet.pixels.rest)
    expected = (x + 0.05 * drift)[0].detach()
    lane = shown[0].lanes[0]
    torch.testing.assert_close(torch.from_numpy(lane.raw), expected, atol=1e-5, rtol=0)
    assert lane.temperature == 0.0 and not len(lane.trace.steps) and shown[0].step == 3


def test_previews_go_on_after_changes_that_cannot_be_made(open_one):
    plain, seen = open_one(), open_one()
    plain, _ = advance(plain)
    seen, _, shown = with_previews(seen, Change("l2", -5.0))
    assert not shown and same(plain, seen)


class Waits(nn.Module):
    """Lets the batch pass only when the test says so; single images pass at once."""

    armed, entered, go = False, threading.Event(), threading.Event()

    def forward(self, x):
        if Waits.armed and len(x) > 1:
            self.entered.set()
            assert self.go.wait(PATIENCE)
        return x


class Later(Waits):
    entered, go = threading.Event(), threading.Event()


def test_the_picture_answers_before_the_step_ends():
    """The step waits twice within its forward pass; between the two the slider moves."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        Waits(),
        nn.Softplus(),
        nn.Conv2d(4, 4, 3),
        Later(),
        nn.Flatten(),
        nn.Linear(4 * 64, 5),
    )
    network = Network("slow", module, PixelSpec(1, 12, 12, (0.5,), (0.5,)))
    spec = SessionSpec(network, network.default_neurons(3), Settings.of(temperature=0.1), seed=2)
    runner = Runner(open_session(spec))
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        runner.step(2)
        runner.request_frame(FrameRequest(FRONT))
        before = wait(runner, lambda frame: frame.step == 2)
        Waits.armed = True
        runner.step(1)
        assert Waits.entered.wait(PATIENCE)
        number = runner.post("temperature", 3.0)
        asked = runner.ask(lambda state: state.step)  # as the window does to save the session
        runner.request_frame(FrameRequest(FRONT))
        Waits.go.set()
        shown = wait(runner, lambda frame: frame.lanes[0].temperature == 3.0)
        assert Later.entered.wait(PATIENCE) and runner.status.step == 2
        assert shown.step == 2 and shown.commands_seen < number and not asked.done()
        assert shown.outline.lane.settings.temperature == 0.1
        assert (shown.lanes[0].raw != before.lanes[0].raw).any()
        Later.go.set()
        runner.request_frame(FrameRequest(FRONT))
        after = wait(runner, lambda frame: frame.step == 3)
        assert after.outline.lane.settings.temperature == pytest.approx(3.0)
    finally:
        Waits.go.set()
        Later.go.set()
        Waits.armed = False
        runner.close()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    again = open_session(spec)
    for _ in range(3):
        again, _ = advance(again)
    assert torch.equal(runner.left.result(0).lane.chains.x, again.lane.chains.x)


def wait(runner, condition):
    """Return the first frame that fulfils a condition; ask again for others."""
    turn = threading.Event()
    for _ in range(int(PATIENCE / 0.002)):
        frame = runner.mailbox.take()
        if frame is not None and condition(frame):
            return frame
        if frame is not None:
            runner.request_frame(FrameRequest(FRONT))
        turn.wait(0.002)
    raise AssertionError("waited in vain for a frame")
