"""Sessions whose networks see random views of the images."""

import math

import pytest
import torch

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View, seen_in

VIEWS = {"jitter": 2, "view_zoom": 1.3, "view_rotation": 15.0, "view_flip": True, "views": 2}
CLASSES = tuple(Neuron("fc3", i) for i in (3, 5))
INNER = tuple(Neuron("conv1", i) for i in (0, 4))
APART = (Neuron("conv2", 0, place=(2, 2)), Neuron("conv2", 1, place=(6, 5)))


@pytest.mark.parametrize("neurons", [CLASSES, INNER, APART], ids=["class", "crop", "places"])
def test_activation_and_gradient_are_those_of_the_network_on_the_view(lenet, neurons):
    state = open_session(SessionSpec(lenet, neurons, Settings.of(mode="exact"), seed=2))
    lane, device = state.lane, state.device
    assert (lane.targets.crop is None) == (neurons is not INNER)
    view = View((1, -2), 1.2, math.radians(10), True)
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    value, gradient = activation_of(lane, device, [view])(x)

    whole = lenet.units(neurons)
    show = seen_in(view, lane.targets.fields, x, lenet.pixels.rest)
    leaf = x.clone().requires_grad_()
    expected = lenet.activation(show(leaf), whole)
    torch.testing.assert_close(value, expected.detach(), atol=1e-5, rtol=1e-4)
    wanted = torch.autograd.grad(expected.sum(), leaf)[0]
    torch.testing.assert_close(gradient, wanted, atol=1e-5, rtol=1e-4)

    along = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    step = 5e-4
    with torch.no_grad():
        further = [lenet.activation(show(x + s * along), whole) for s in (step, -step)]
    slope = (further[0] - further[1]) / (2 * step)
    torch.testing.assert_close((gradient * along).sum((1, 2, 3)), slope, atol=0.05, rtol=0.05)


def test_without_a_view_activation_and_gradient_are_the_same_to_the_bit(lenet):
    state = open_session(SessionSpec(lenet, INNER, Settings.of(), seed=2))
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    plain = activation_of(state.lane, state.device)(x)
    still = activation_of(state.lane, state.device, [View(zoom=1.0, angle=0.0)])(x)
    assert all(torch.equal(*pair) for pair in zip(plain, still, strict=True))


def test_views_that_are_off_change_nothing(open_one, run):
    plain, _ = run(open_one(), 4)
    several, _ = run(open_one(views=4), 4)
    assert torch.equal(plain.lane.chains.x, several.lane.chains.x)
    varied, _ = run(open_one(view_flip=True), 4)
    assert not torch.equal(plain.lane.chains.x, varied.lane.chains.x)


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_views_replay_over_changes_saving_and_abandoned_steps(open_one, run, kernel):
    settings = {**VIEWS, "kernel": kernel, "mode": "exact", "step_size": 0.02}
    script = {
        3: [("view_rotation", 0.0), ("views", 3)],
        5: [("jitter", 0)],
        6: [("view_zoom", 1.0), ("view_flip", False)],
        7: [("view_zoom", 1.1), ("jitter", 1)],
    }
    whole, _ = run(open_one(**settings), 9, script)

    def give_up():
        raise GivenUp

    state, _ = run(open_one(**settings), 4, script)
    back = snapshot(state)
    run(state, 2)
    state = from_tensors(*to_tensors(back))
    state, _ = advance(state, between=give_up)
    state, _ = run(state, 5, script)
    assert torch.equal(whole.lane.chains.x, state.lane.chains.x)
    assert torch.equal(whole.lane.average.mean, state.lane.average.mean)


def test_steps_that_are_confirmed_later_see_the_same_views(open_one):
    found = []
    for lag in (0, 3):
        state = open_one(**VIEWS)
        for _ in range(6):
            state, _ = advance(state, lag=lag)
        state, _ = advance(state, budget=0)
        found.append(state.lane.chains.x)
    assert torch.equal(*found)


def test_alike_lanes_see_the_same_views(open_one, run, lenet):
    state = open_one(**VIEWS)
    advance(state, [Change("compare", LaneSpec(lenet))], 0)
    state, _ = run(state, 5)
    assert torch.equal(state.lanes[0].chains.x, state.lanes[1].chains.x)


@pytest.mark.parametrize("own", [{}, {"views": 3}, {"views": 1}, {"view_zoom": 1.0, "jitter": 0}])
def test_the_first_lane_is_the_same_with_and_without_a_second(open_one, run, lenet, own):
    alone, beside = open_one(**VIEWS), open_one(**VIEWS)
    spec = LaneSpec(lenet, settings=Settings.of(**VIEWS | own))
    advance(beside, [Change("compare", spec)], 0)
    alone, _ = run(alone, 5)
    beside, _ = run(beside, 5)
    assert torch.equal(alone.lane.chains.x, beside.lane.chains.x)
    assert torch.equal(alone.lane.chains.x, beside.lanes[1].chains.x) == (not own)


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_a_step_sees_one_draw_of_views_however_often_it_asks(open_one, run, kernel):
    """The kernel mala asks twice, and compares the two."""
    state, _ = run(open_one(kernel=kernel, **VIEWS), 1)
    once = Generators(state.seed)
    for number in range(2):
        torch.rand(3, generator=once[f"views/{number}"])
        assert torch.equal(
            once[f"views/{number}"].get_state(), state.generators[f"views/{number}"].get_state()
        )


def test_a_chain_of_mala_at_rest_accepts_though_views_vary_from_step_to_step(open_one, run):
    """In two evaluations in different views, an image would seem to jump without any move."""
    state = open_one(kernel="mala", temperature=0.01, step_size=1e-5, l2=0.0, **VIEWS)
    state, infos = run(state, 12)
    assert torch.stack([info.lanes[0].acceptance for info in infos]).mean() > 0.95
