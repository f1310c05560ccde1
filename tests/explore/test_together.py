"""Neurons that are drawn together come out as each does alone, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ldam_studio.engine import advance as steps
from ldam_studio.engine import field_checks
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.joined import alone, can_be_joined, joined, same, without
from ldam_studio.engine.serialise import to_tensors
from ldam_studio.engine.session import open_session
from ldam_studio.engine.trust import Trust
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets import together
from ldam_studio.explore.sheets.drawing import Drawn, draw
from ldam_studio.explore.sheets.spec import SheetSpec, neurons_in
from ldam_studio.explore.sheets.together import Measured, draw_together, measure
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.random import Alike, Generators
from ldam_studio.sampler.settings import Settings

SETTINGS = Settings.of(
    temperature=0.001, l2=0.015, smoothness=0.05, spectrum=0.25, jitter=2, views=1
)


@pytest.fixture(scope="module")
def network():
    return open_network("lenet")


def spec_of(network, layer: str, numbers, steps: int = 180, **values) -> SheetSpec:
    settings = SETTINGS.with_values(values)
    device = choose("cpu", "float32")
    neurons = neurons_in(network, layer, numbers)
    return SheetSpec(network, neurons, settings, device, chains=4, steps=steps, seed=3)


def equal(one: Drawn, other: Drawn) -> bool:
    (tensors, about), (others, other_about) = to_tensors(one.state), to_tensors(other.state)
    return (
        (one.row, about) == (other.row, other_about)
        and (one.state.log, one.state.origin) == (other.state.log, other.state.origin)
        and tensors.keys() == others.keys()
        and all(torch.equal(t.nan_to_num(), others[n].nan_to_num()) for n, t in tensors.items())
    )


@pytest.mark.parametrize(
    ("layer", "numbers", "values"),
    [
        ("conv2", (0, 8, 5), {}),  # on a crop; they converge one after the other
        ("relu2", (1, 2), {"kernel": "mala", "mode": "exact", "average_over": "both", "steps": 20}),
        ("fc3", (4, 7), {"views": 2, "view_rotation": 10.0, "schedule": 10, "steps": 30}),
    ],
)
def test_each_is_as_if_it_were_alone(network, layer, numbers, values):
    spec = spec_of(network, layer, numbers, **values)
    known = Measured(most=8)
    found = draw_together(spec, spec.neurons, known)
    if not found:
        pytest.skip("this processor rounds otherwise for more images")
    assert found.keys() == set(spec.neurons)
    for neuron, drawn in found.items():
        assert equal(drawn, draw(spec, neuron, lambda: None)), neuron


def test_a_neuron_that_is_silent_changes_no_other(network):
    spec = spec_of(network, "relu2", range(16), steps=3)
    quiet = [bool(draw(spec, n, lambda: None).state.lane.waking.led.any()) for n in spec.neurons]
    silent, other = spec.neurons[quiet.index(True)], spec.neurons[quiet.index(False)]
    found = draw_together(spec, (other, silent), Measured(most=2))
    for neuron in (other, silent):
        assert equal(found[neuron], draw(spec, neuron, lambda: None)), neuron


def test_what_rounds_otherwise_is_drawn_alone(network, monkeypatch):
    """A processor that rounds the values of many images otherwise than those of few."""
    spec = spec_of(network, "conv2", range(4), steps=20, burn_in=0)
    original = steps.activation_of

    def rounds(lane, *args):
        function = original(lane, *args)

        def value(x):
            found, gradient = function(x)
            return found, gradient * (1 + 2**-20) if len(x) > 8 else gradient

        return value

    monkeypatch.setattr(steps, "activation_of", rounds)
    known = Measured(most=4)
    assert draw_together(spec, spec.neurons, known) == {}
    assert known.most == 2 and known.settled
    assert draw_together(spec, spec.neurons[:2], known).keys() == set(spec.neurons[:2])
    known = Measured(share=1e9)
    measure(spec, spec.neurons, known)
    assert known.most == 2 and known.settled


def test_what_rounds_otherwise_only_now_and_then_is_found(network, monkeypatch):
    spec = spec_of(network, "conv2", range(4), steps=20, burn_in=0)
    original = together.advance

    def rounds(state, changes=()):
        state, info = original(state, changes)
        if len(state.lane.neurons) > 4 and state.step == 6:
            state.lane.chains.x[5] *= 1 + 2**-20
        return state, info

    monkeypatch.setattr(together, "advance", rounds)
    assert draw_together(spec, spec.neurons, Measured(most=4)) == {}


def test_as_many_are_taken_as_are_faster_and_fit(network, monkeypatch):
    spec = spec_of(network, "conv2", range(16), steps=20)
    seconds = {1: 1.0, 2: 2.1, 4: 2.0, 8: 3.95, 16: 7.9}

    def timed(state):
        count = len(dict.fromkeys(state.lane.neurons))
        return state, seconds[count]

    monkeypatch.setattr(together, "_timed", timed)
    monkeypatch.setattr(together, "same", lambda *_: True)
    known = Measured()
    measure(spec, spec.neurons[:3], known)
    assert (known.most, known.settled) == (1, False)
    measure(spec, spec.neurons, known)
    assert (known.most, known.settled, known.share) == (4, True, 0.5)
    monkeypatch.setattr(together, "free_bytes", lambda: 0)
    known = Measured()
    measure(spec, spec.neurons, known)
    assert (known.most, known.settled) == (1, True)


def test_a_receptive_field_that_is_wrong_concerns_its_neuron_alone(network, monkeypatch):
    spec = spec_of(network, "conv2", (0, 1), steps=20, burn_in=0)

    def check(state):
        if state.lane.neurons[0].index == 1:
            state.lanes = (replace(state.lane, trust=Trust.FIELD),)
        return []

    monkeypatch.setattr(field_checks, "check", check)
    assert list(draw_together(spec, spec.neurons, Measured(most=2))) == [spec.neurons[0]]


def test_an_explosion_leaves_all_to_be_drawn_alone(network):
    spec = spec_of(network, "conv2", (0, 1), steps=40, step_size=10.0, clamp=False, l2=10.0)
    with pytest.raises(StudioError, match="infinite"):
        draw(spec, spec.neurons[0], lambda: None)
    assert draw_together(spec, spec.neurons, Measured(most=2)) == {}


def test_chains_that_share_something_are_not_joined(network):
    def begun(**values):
        spec = spec_of(network, "conv2", (0,), **values)
        return open_session(spec.session(spec.neurons[0]))

    assert can_be_joined(begun())
    assert not can_be_joined(begun(tempering=2, kernel="mala"))
    state = begun()
    assert not can_be_joined(replace(state, device=replace(state.device, arithmetic=1)))


def test_some_can_leave(network):
    spec = spec_of(network, "conv2", (0, 1, 2))
    begun = [open_session(spec.session(neuron)) for neuron in spec.neurons]
    joint = joined(begun)
    fewer = without(joint, [1], begun[0])
    assert fewer.lane.neurons == begun[0].lane.neurons + begun[2].lane.neurons
    assert same(alone(fewer, 1, begun[2]), begun[2])
    moved, _ = steps.advance(fewer)
    assert not same(alone(moved, 1, begun[2]), begun[2])


def test_those_that_have_finished_leave_at_few_numbers_and_are_not_compared(network):
    spec = spec_of(network, "conv2", range(9))
    group = together._Group(spec, spec.neurons, Measured(most=9))
    begun = {neuron: state.lane.neurons for neuron, state in group._begun.items()}
    for left, there in ((8, 8), (7, 8), (5, 6), (1, 1)):
        group._running = set(spec.neurons[-left:])
        group._let_leave()
        assert len(group._there) == there and group._running <= set(group._there)
        assert group._joint.lane.neurons == sum((begun[n] for n in group._there), ())
        assert set(group._to_compare()) <= group._running
        assert len(group._to_compare()) == min(3, left)
    group._running = set()
    group._let_leave()
    assert not group._to_compare() and len(group._there) == 1


def test_joined_chains_draw_what_each_would_alone():
    one, many = Generators(5), Alike.of(Generators(5), 2)
    like = torch.empty(6, 1, 2, 2)
    for source in ("noise", "swap"):
        own, all_of_them = one.draw(source, like[:2]), many.draw(source, like)
        assert torch.equal(all_of_them, torch.cat([own] * 3))
    start = many.normal("start", (6, 3), range(6))
    assert torch.equal(start[4:], one.normal("start", (2, 3)))
    assert many["noise/5"] is many["noise/1"]
    assert torch.equal(
        torch.rand(1, generator=many["views/7"]), torch.rand(1, generator=one["views/7"])
    )
    states, others = many.alone().state(), one.state()
    assert states.keys() == others.keys()
    assert all(torch.equal(state, others[name]) for name, state in states.items())
    assert torch.equal(many.clone().draw("noise", like), many.draw("noise", like))
