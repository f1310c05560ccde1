"""Two lanes side by side: the same noise, and what is changed in one stays in one."""

import numpy as np
import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import ChainsExploded, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec, unmatched
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.settings import Settings


@pytest.fixture(scope="module")
def averaged():
    return open_network("lenet-averaged")


def other(shape=(1, 28, 28), outputs=4, name="other", **pixels):
    """Return a small network with layers of other names than LeNet's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), outputs))
    return Network(name, module, PixelSpec(*shape, (0.5,) * shape[0], (0.5,) * shape[0], **pixels))


def change(state, *changes):
    """Apply changes without a step; returns what was said."""
    _, info = advance(state, [Change(*c) for c in changes], 0)
    return info


@pytest.mark.parametrize("jitter", [0, 2])
def test_the_first_lane_is_the_same_with_and_without_a_second(open_one, run, averaged, jitter):
    alone = open_one(jitter=jitter)
    beside = open_one(jitter=jitter)
    assert not change(beside, ("compare", LaneSpec(averaged))).refused
    run(alone, 5)
    run(beside, 5)
    assert torch.equal(alone.lane.chains.x, beside.lane.chains.x)
    assert not torch.equal(beside.lane.chains.x, beside.lanes[1].chains.x)


def test_alike_lanes_stay_alike(open_one, run, lenet, untrained_discriminator):
    state = open_one(discriminator=untrained_discriminator, jitter=2, discriminator_weight=0.5)
    change(state, ("compare", LaneSpec(lenet)))
    run(state, 5, {2: [("chains", 5)], 3: [("temperature", 0.5)], 4: [("melt", 3)]})
    first, second = state.lanes
    assert torch.equal(first.chains.x, second.chains.x)
    assert torch.equal(first.average.mean, second.average.mean)
    assert first.settings == second.settings
    assert len(first.neurons) == len(second.neurons) == 5


def test_jitter_of_one_lane_alone_moves_on(open_one, run, lenet):
    """The lane without it does not take its random numbers back."""
    state = open_one()
    change(state, ("compare", LaneSpec(lenet)), ("jitter", 3, 0))
    before = state.generators["jitter"].get_state()
    run(state, 1)
    assert not torch.equal(before, state.generators["jitter"].get_state())


def test_comparing_starts_both_anew(open_one, run, lenet, averaged):
    state = open_one()
    run(state, 4)
    change(state, ("compare", LaneSpec(averaged)))
    spec = SessionSpec(
        lenet, lenet.default_neurons(3), Settings(), seed=1, beside=(LaneSpec(averaged),)
    )
    fresh = open_session(spec)
    run(state, 3)
    run(fresh, 3)
    for one, two in zip(state.lanes, fresh.lanes, strict=True):
        assert torch.equal(one.chains.x, two.chains.x)
        assert torch.equal(one.average.mean, two.average.mean)


def test_a_second_lane_can_go_on_from_the_first_ones_pixels(open_one, run, averaged):
    state = open_one()
    run(state, 4)
    here = state.lane.chains.x
    change(state, ("compare", LaneSpec(averaged, restart=False)))
    assert torch.equal(state.lane.chains.x, here)
    assert torch.equal(state.lanes[1].chains.x, here)
    assert not state.lane.average.count.any()
    assert state.step == 4


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_a_twin_beside_chains_that_run_averages_the_same_samples(open_one, run, lenet, kernel):
    state = open_one(mode="exact", kernel=kernel, burn_in=4)
    run(state, 6)
    assert state.lane.progress.done.all()
    change(state, ("compare", LaneSpec(lenet, restart=False)))
    for _ in range(7):
        run(state, 1)
        first, second = state.lanes
        assert torch.equal(first.chains.x, second.chains.x)
        assert torch.equal(first.average.mean, second.average.mean)
        assert torch.equal(first.average.count, second.average.count)
    assert first.progress.done.all() and second.progress.done.all()


def test_a_comparison_ends_and_is_replaced(open_one, run, lenet, averaged):
    state = open_one()
    change(state, ("compare", LaneSpec(averaged)))
    change(state, ("compare", LaneSpec(lenet, settings=Settings.of(l2=0.3))))
    assert state.lanes[1].network is lenet
    assert (state.lane.settings.l2, state.lanes[1].settings.l2) == (Settings().l2, 0.3)
    change(state, ("compare", None))
    assert len(state.lanes) == 1
    run(state, 1)


def test_settings_of_one_lane_and_of_both(open_one, averaged):
    state = open_one()
    change(state, ("compare", LaneSpec(averaged)))
    info = change(state, ("temperature", 0.5, 1), ("l2", 0.1, 0), ("step_size", 0.2))
    assert info.told == ("B: temperature 0.5", "A: l2 weight 0.1", "step size 0.2")
    first, second = state.lanes
    assert (first.settings.temperature, second.settings.temperature) == (
        Settings().temperature,
        0.5,
    )
    assert (first.settings.l2, second.settings.l2) == (0.1, Settings().l2)
    assert first.settings.step_size == second.settings.step_size == 0.2
    assert [entry.json() for entry in state.log[1:]] == [
        [0, "temperature", 0.5, 1],
        [0, "l2", 0.1, 0],
        [0, "step_size", 0.2],
    ]


def test_neurons_go_by_their_address(open_one, averaged):
    state = open_one()
    change(state, ("compare", LaneSpec(averaged)))
    change(state, ("neurons", (Neuron("fc2", 5),)))
    assert state.lane.neurons == state.lanes[1].neurons == (Neuron("fc2", 5),) * 3
    change(state, ("neurons", (Neuron("fc3", 1),), 1))
    assert state.lane.neurons == (Neuron("fc2", 5),) * 3
    assert state.lanes[1].neurons == (Neuron("fc3", 1),) * 3


def test_a_network_without_such_a_neuron_shows_another(open_one, run):
    state = open_one()
    second = other()
    change(state, ("compare", LaneSpec(second)))
    shown = state.lanes[1].neurons
    assert shown == second.default_neurons(3)
    assert unmatched(second, state.lane.neurons, shown) == (
        "other has no neuron fc3:0 and shows 1:0 to 1:2 instead; choose another."
    )
    change(state, ("neurons", (Neuron("1", 3),), 1), ("neurons", (Neuron("fc3", 7),)))
    assert state.lanes[1].neurons == (Neuron("1", 3),) * 3
    change(state, ("neurons", tuple(Neuron("fc3", i) for i in range(5))))
    assert len(state.lanes[1].neurons) == 5
    run(state, 1)
    assert unmatched(second, [Neuron("1", 2)], [Neuron("1", 3)]) == ""


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (other((3, 28, 28)), "takes images of 3 x 28 x 28, lenet of 1 x 28 x 28"),
        (other(minimum=-1.0), "takes pixels from -1 to 1, lenet from 0 to 1"),
    ],
)
def test_only_networks_of_the_same_images_are_compared(open_one, averaged, network, said):
    state = open_one()
    info = change(state, ("compare", LaneSpec(network)))
    assert said in info.refused[0]
    assert len(state.lanes) == 1
    assert not state.log
    change(state, ("compare", LaneSpec(averaged)))
    info = change(state, ("network", network))
    assert said in info.refused[0] or "lenet" in info.refused[0]
    assert state.lane.network.name == "lenet"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("chains", 4, 1), "for all networks together"),
        (("neurons", (Neuron("fc3", 0), Neuron("fc3", 1)), 1), "the same number of chains, here 3"),
        (("neurons", (Neuron("fc9", 0),), 1), "has no layer 'fc9'"),
        (("temperature", -1.0, 1), "Temperature"),
    ],
)
def test_what_cannot_be_done_to_one_lane_changes_nothing(open_one, averaged, wrong, said):
    state = open_one()
    change(state, ("compare", LaneSpec(averaged)))
    lanes, log = state.lanes, list(state.log)
    assert said in change(state, wrong).refused[0]
    assert state.lanes == lanes
    assert state.log == log


def test_a_second_lane_that_is_not_there_cannot_be_changed(open_one):
    state = open_one()
    assert "add a comparison first" in change(state, ("l2", 0.1, 1)).refused[0]


def test_a_wrong_number_of_neurons_is_refused(open_one, averaged):
    state = open_one()
    second = LaneSpec(averaged, neurons=(Neuron("fc3", 0), Neuron("fc3", 1)))
    assert "the same number of chains, here 3" in change(state, ("compare", second)).refused[0]


def test_other_weights_go_to_the_first_network_alone(open_one, lenet, averaged):
    state = open_one()
    change(state, ("compare", LaneSpec(lenet)), ("weights", averaged))
    assert state.lane.network is averaged
    assert state.lanes[1].network is lenet


def test_a_stored_session_goes_on_with_both_lanes(open_one, run, averaged):
    state = open_one()
    run(state, 3, {0: [("compare", LaneSpec(averaged))], 1: [("l2", 0.2, 1)]})
    again = from_tensors(*to_tensors(state))
    run(state, 3)
    run(again, 3)
    assert len(again.lanes) == 2
    for one, two in zip(state.lanes, again.lanes, strict=True):
        assert one.settings == two.settings
        assert torch.equal(one.chains.x, two.chains.x)
        assert torch.equal(one.progress.total, two.progress.total)


def test_a_frame_shows_both_lanes(open_one, run, averaged):
    state = open_one()
    _, infos = run(state, 4, {0: [("compare", LaneSpec(averaged))]})
    frame = make_frame(
        state,
        FrameRequest(front=1),
        number=1,
        infos=infos,
        notices=(),
        steps_per_second=0.0,
        lesson=None,
        commands_seen=0,
    )
    for lane, shown in zip(state.lanes, frame.lanes, strict=True):
        assert np.array_equal(shown.raw, lane.chains.x[1].numpy())
        assert np.array_equal(shown.average, lane.average.mean[1].numpy())
        assert shown.trace.activation.shape == (4, 3)
        assert shown.trace.activation[-1].tolist() == pytest.approx(shown.activation.tolist())
    assert not np.array_equal(frame.lanes[0].trace.activation, frame.lanes[1].trace.activation)


def test_burn_in_is_told_of_each_lane(open_one, run, averaged):
    state = open_one(burn_in=2, threshold=-1e9)
    _, infos = run(state, 3, {0: [("compare", LaneSpec(averaged))]})
    marks = [mark for info in infos for mark in info.marks]
    assert marks == [
        "compared with lenet-averaged",
        "A: burned in: all chains",
        "B: burned in: all chains",
    ]


def test_an_exploding_second_lane_stops_both_where_they_stood(open_one, run, averaged):
    state = open_one(mode="exact")
    run(state, 2, {0: [("compare", LaneSpec(averaged)), ("step_size", 50.0, 1), ("l2", 50.0, 1)]})
    with pytest.raises(ChainsExploded, match="product is below 2") as raised:
        run(state, 200)
    assert all(lane.chains.x.isfinite().all() for lane in raised.value.state.lanes)


def test_the_discriminator_learns_from_both_lanes(open_one, run, averaged, untrained_discriminator):
    state = open_one(discriminator=untrained_discriminator, learn_every=2)
    run(state, 2, {0: [("compare", LaneSpec(averaged))]})
    assert len(state.learner.recent[-1]) == 6
