"""The gallery: what a chain contributes, what stays after a melt, what is undone; limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.kept_modes import origin_of
from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.explore.modes import gallery as module
from ldam_studio.explore.modes.found import MOST_PICTURES
from ldam_studio.explore.modes.gallery import FEWEST, PATIENCE, STILL, Gallery
from ldam_studio.explore.modes.look import Look, Recalled, Wanted, look_at
from ldam_studio.explore.modes.regrouping import grouped
from ldam_studio.networks.neurons import parse_neurons
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

NEURON = "fc3:4"
ONE, TWO, THREE = np.eye(3, 8, dtype=np.float32)


def seen(step, shown, *, samples=100, stirred=-1, hot=False, settled=True, neuron=NEURON, **given):
    """Return what a look saw of chains that show these directions."""
    count = len(shown)
    return Look(
        wanted=given.get("wanted", Wanted(neuron, "pixels")),
        step=step,
        stirred=np.full(count, stirred),
        since=0,
        neurons=(neuron,) * count,
        hot=np.full(count, hot),
        counts=np.full(count, samples),
        steady=np.full(count, settled),
        done=np.full(count, settled),
        reduced=np.stack(shown) if shown else np.zeros((0, 8), np.float32),
        features={},
        pictures=given.get("pictures", {}),
        kept=given.get("kept", {}),
    )


def modes_of(gallery, neuron=NEURON, kind="pixels"):
    task = gallery.task(neuron, kind)
    if task is not None:
        gallery.take(grouped(task))
    return gallery.modes(neuron, kind)


def told(gallery):
    return [(m.number, m.count, m.chains, m.first, m.last) for m in modes_of(gallery)]


def test_no_samples_no_modes():
    gallery = Gallery()
    assert modes_of(gallery) == ()
    gallery.add(seen(5, [ONE, TWO], samples=FEWEST - 1))
    gallery.add(seen(6, []))
    assert modes_of(gallery) == ()


def test_chains_that_show_the_same_are_one_mode_with_their_share():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, ONE, TWO]), [1.0, 3.0, 7.0])
    gallery.add(seen(200, [ONE, ONE, TWO], samples=200), [1.0, 3.0, 7.0])
    assert told(gallery) == [(1, 2, (0, 1), 100, 200), (2, 1, (2,), 100, 200)]
    first, second = modes_of(gallery)
    assert first.share.value == pytest.approx(2 / 3)
    assert first.share.low < 2 / 3 < first.share.high
    assert (first.activation, second.activation) == (2.0, 7.0)


def test_a_melt_leaves_the_former_average_behind_and_the_chain_adds_another():
    gallery = Gallery()
    gallery.add(seen(100, [ONE]))
    gallery.add(seen(150, [ONE], samples=150, hot=True, stirred=120))
    assert told(gallery) == [(1, 1, (), 100, 100)]
    gallery.add(seen(300, [TWO], samples=5, stirred=200))
    gallery.add(seen(350, [TWO], samples=55, stirred=200))
    assert told(gallery) == [(1, 1, (), 100, 100), (2, 1, (0,), 350, 350)]
    gallery.add(seen(700, [ONE], samples=100, stirred=500))
    assert told(gallery) == [(1, 2, (0,), 100, 700), (2, 1, (), 350, 350)]


def test_a_melt_between_two_looks_is_not_missed():
    gallery = Gallery()
    gallery.add(seen(100, [ONE]))
    gallery.add(seen(400, [TWO], samples=150, stirred=200))
    assert told(gallery) == [(1, 1, (), 100, 100), (2, 1, (0,), 400, 400)]


def test_resetting_the_average_and_moving_a_slider_count_no_chain_twice():
    gallery = Gallery()
    gallery.add(seen(100, [ONE]))
    gallery.add(seen(110, [THREE], samples=3))
    assert told(gallery) == [(1, 1, (0,), 100, 110)]
    gallery.add(seen(200, [ONE], samples=90))
    assert told(gallery) == [(1, 1, (0,), 100, 200)]


def test_another_neuron_and_another_number_of_chains_leave_averages_behind():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, TWO]))
    gallery.add(seen(200, [ONE], samples=200))
    assert told(gallery) == [(1, 1, (0,), 100, 200), (2, 1, (), 100, 100)]
    gallery.add(seen(300, [THREE], neuron="fc3:7"))
    assert [m.count for m in modes_of(gallery, "fc3:7")] == [1]
    assert told(gallery) == [(1, 1, (), 100, 200), (2, 1, (), 100, 100)]


def test_a_chain_that_has_not_settled_counts_once_its_average_stays_alike():
    gallery = Gallery()
    for samples, shown in ((20, ONE), (STILL, TWO), (2 * STILL - 1, TWO)):
        gallery.add(seen(samples, [shown], samples=samples, settled=False))
        assert told(gallery) == []
    gallery.add(seen(2 * STILL, [TWO], samples=2 * STILL, settled=False))
    assert told(gallery) == [(1, 1, (0,), 2 * STILL, 2 * STILL)]
    for samples in (1, FEWEST):  # burn-in has ended, and the average began again
        gallery.add(seen(300 + samples, [TWO], samples=samples))
        assert told(gallery) == [(1, 1, (0,), 2 * STILL, 300 + samples)]


def test_a_chain_that_does_not_settle_counts_later_and_not_twice():
    gallery = Gallery()
    gallery.add(seen(100, [ONE], samples=PATIENCE - 1, settled=False))
    assert told(gallery) == []
    gallery.add(seen(200, [ONE], samples=PATIENCE, settled=False))
    assert told(gallery) == [(1, 1, (0,), 200, 200)]
    gallery.add(seen(300, [TWO], samples=50))  # burn-in has ended, and the average began again
    assert [m.count for m in modes_of(gallery)] == [1]


def test_what_is_undone_is_forgotten():
    gallery = Gallery()
    gallery.add(seen(100, [ONE]))
    gallery.add(seen(400, [TWO], samples=150, stirred=200))
    gallery.add(seen(200, [ONE], samples=200))
    assert told(gallery) == [(1, 1, (0,), 100, 200)]


def test_what_is_undone_is_forgotten_however_far_the_session_has_gone_on():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, ONE]))
    gallery.add(seen(210, [ONE, ONE], samples=5, stirred=200))
    gallery.add(seen(400, [TWO, TWO], samples=150, stirred=200))
    assert [m.count for m in modes_of(gallery)] == [2, 2]
    gallery.add(seen(450, [ONE, ONE], samples=350))
    assert told(gallery) == [(1, 2, (0, 1), 100, 450)]
    # Before a look could see what the restart led to, too.
    gallery.add(seen(460, [ONE, ONE], samples=1, stirred=455, settled=False))
    gallery.add(seen(500, [ONE, ONE], samples=390))
    assert told(gallery) == [(1, 2, (0, 1), 100, 500)]


def test_a_chain_that_drifts_to_another_image_leaves_the_former_one_behind():
    gallery = Gallery()
    for step in range(100, 800, 100):
        gallery.add(seen(step, [ONE], samples=step))
    between = (ONE + TWO) / np.sqrt(2, dtype=np.float32)
    gallery.add(seen(800, [between], samples=800))
    assert [m.count for m in modes_of(gallery)] == [1]
    for step in range(900, 1200, 100):
        gallery.add(seen(step, [TWO], samples=step))
    assert told(gallery) == [(1, 1, (), 100, 800), (2, 1, (0,), 900, 1100)]
    # One that never came to rest leaves nothing.
    gallery.clear()
    for step, shown in ((100, ONE), (200, TWO), (300, THREE)):
        gallery.add(seen(step, [shown], samples=step))
    assert [m.count for m in modes_of(gallery)] == [1]


def test_a_mode_that_was_kept_before_has_its_number_again():
    gallery = Gallery()
    picture = np.ones((1, 4, 4), np.float16)
    gallery.add(seen(100, [ONE, TWO], kept={3: Recalled(TWO, None, picture)}))
    first, other = modes_of(gallery)
    assert (first.number, first.chains, first.count) == (3, (1,), 1) and first.picture is picture
    assert (other.number, other.share.value) == (4, 0.5)
    assert gallery.knows(NEURON, "pixels", 3) and not gallery.knows(NEURON, "features", 3)
    gallery.clear()
    gallery.add(seen(100, [ONE], kept={7: Recalled(TWO, None, picture)}))
    assert [(m.number, m.share is None) for m in modes_of(gallery)] == [(7, True), (8, False)]


def test_a_forgotten_mode_has_no_part_in_the_shares():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, TWO, TWO]))
    (larger, _) = modes_of(gallery)
    gallery.forget(NEURON, "pixels", larger.number)
    (left,) = modes_of(gallery)
    assert left.chains == (0,) and left.share.value == 1.0
    gallery.add(seen(200, [ONE, TWO, TWO], samples=200))
    assert [m.number for m in modes_of(gallery)] == [left.number]


def test_nan_is_no_image():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, np.full(8, np.nan, np.float32)]))
    assert told(gallery) == [(1, 1, (0,), 100, 100)]


def test_pictures_are_asked_for_in_turn_and_belong_to_their_neuron():
    gallery = Gallery()
    gallery.add(seen(100, [ONE, TWO, THREE]))
    modes_of(gallery)
    first = gallery.wanted(NEURON, "pixels")
    assert dict(first.pictures) == {1: (0,), 2: (1,)}
    picture = np.ones((1, 4, 4), np.float16)
    gallery.add(seen(200, [ONE, TWO, THREE], samples=200, wanted=first, pictures={1: picture}))
    assert modes_of(gallery)[0].picture is picture
    assert dict(gallery.wanted(NEURON, "pixels").pictures) == {3: (2,), 1: (0,)}
    assert gallery.wanted("fc3:9", "pixels").pictures == {}


def test_of_very_many_modes_those_of_most_averages_are_shown():
    gallery = Gallery()
    every = [
        row
        for number, row in enumerate(np.eye(40, dtype=np.float32))
        for _ in range(number % 3 + 1)
    ]
    gallery.add(seen(100, every))
    modes = modes_of(gallery)
    shown = gallery.shown(NEURON, "pixels")
    assert len(modes) == 40 and len(shown) == MOST_PICTURES
    assert sorted(m.count for m in modes)[-len(shown) :] == sorted(m.count for m in shown)
    assert [m.number for m in shown] == sorted(m.number for m in shown)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    monkeypatch.setattr(module, "MOST_BYTES", 2000)
    gallery = Gallery()
    for number in range(40):
        gallery.add(seen(100 * number, [ONE, TWO], stirred=100 * number - 10))
    assert sum(m.count for m in modes_of(gallery)) == 10
    for number in range(40, 80):
        gallery.add(seen(100 * number, [ONE], neuron=f"fc3:{number}"))
    known = [n for n in range(40, 80) if gallery.task(f"fc3:{n}", "pixels") is not None]
    assert 1 < len(known) <= 2000 // 32 and known[-1] == 79
    gallery.clear()
    assert modes_of(gallery, "fc3:79") == ()


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


def mean_of(state):
    return state.lane.average.mean[0]


def test_a_session_is_looked_at_without_being_changed(lenet):
    neurons = tuple(parse_neurons("fc3:4")) * 3
    spec = SessionSpec(
        lenet, neurons, Settings.of(burn_in=10), seed=1, device=Device("cpu", "float32", 1)
    )
    state = open_session(spec)
    for _ in range(60):
        state, _ = advance(state)
    before = snapshot(state)
    wanted = Wanted("fc3:4", "features", 0, (0, 2, 7), {1: (0, 1), 2: (9,)})
    look = look_at(state, wanted)
    assert torch.equal(before.lane.chains.x, state.lane.chains.x)
    assert look.neurons == ("fc3:4",) * 3 and look.step == 60 and not look.hot.any()
    assert look.reduced.shape == (3, 2 * 12 * 11)
    assert set(look.features) == {0, 2} and look.features[0].shape == (84,)
    assert set(look.pictures) == {1}
    mean = state.lane.average.mean[:2].mean(0).half().numpy()
    np.testing.assert_array_equal(look.pictures[1], mean)
    state, _ = advance(state, [Change("heat", 100.0)])
    look = look_at(state, wanted)
    assert look.hot.all() and (look.stirred == 60).all() and not look.pictures
    kept = KeptPicture(mean_of(state), "mode 5 of fc3:4", origin_of(neurons[0]))
    state, _ = advance(state, [Change("heat", 1.0), Change("picture", kept)], 0)
    for kind in ("pixels", "features"):
        (again,) = look_at(state, Wanted("fc3:4", kind, kept={5: 0, 6: 9})).kept.items()
        assert again[0] == 5 and again[1].picture.shape == (1, 28, 28)
        assert (again[1].features is None) == (kind == "pixels")
    # A network that has no such lane any more: the first is looked at.
    assert look_at(state, Wanted("fc3:4", "pixels", 3)).neurons == look.neurons


def test_fields_of_different_sizes_are_compared_one_by_one(lenet):
    neurons = tuple(parse_neurons("conv2:3@0,0")) + tuple(parse_neurons("conv2:3"))
    state = open_session(SessionSpec(lenet, neurons, device=Device("cpu", "float32", 1)))
    look = look_at(state, Wanted("conv2:3", "pixels"))
    assert look.reduced.shape[0] == 2
