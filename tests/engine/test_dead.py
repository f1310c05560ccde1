"""Neurons that give no gradient: chains are led to where they do, or it is said that none does."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import Opener, SessionSpec, open_session
from ldam_studio.engine.silent_neurons import PATIENCE, dead_neurons, sentence
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.anatomy.leaky import LeakyRectifiers
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network

LIVELY, SLEEPER, DEAF, NUMB = (Neuron("rectifier", i) for i in range(4))


def test_a_unit_that_only_large_inputs_wake_is_woken_and_goes_on_by_itself(open_on, run):
    state, infos = run(open_on(SLEEPER, LIVELY), PATIENCE)
    activation = torch.stack([info.lanes[0].activation for info in infos])
    rms = torch.stack([info.lanes[0].gradient_rms for info in infos])
    assert float(activation[0, 0]) == 0 and float(activation[-1, 0]) > 0
    # What is said of gradients is the truth, also while the chain is led.
    assert torch.equal(rms[:, 0] > 0, activation[:, 0] > 0)
    assert not state.lane.waking.dead.any()
    assert "rectifier:1 was silent at the start and now responds" in sentence(
        state.lane.waking, state.lane.neurons
    )


def test_a_unit_that_nothing_wakes_is_called_dead_and_never_burns_in(open_on, run):
    state = open_on(DEAF, NUMB, LIVELY, DEAF, temperature=0.001)
    state, _ = run(state, 3)
    said = sentence(state.lane.waking, state.lane.neurons)
    assert said.startswith("rectifier:2, rectifier:3 give no gradient at the start;")
    state, _ = run(state, 4 * PATIENCE)
    assert state.lane.waking.dead.tolist() == [True, True, False, True]
    assert dead_neurons(state.lane.waking, state.lane.neurons) == ["rectifier:2", "rectifier:3"]
    assert "so the picture stays noise" in sentence(state.lane.waking, state.lane.neurons)
    assert state.lane.progress.done.tolist() == [False, False, True, False]


def test_chains_that_answer_are_what_they_are_without_others_that_do_not(open_on, run):
    together, _ = run(open_on(LIVELY, SLEEPER, NUMB), 20)
    alone, _ = run(open_on(LIVELY), 20)
    assert torch.equal(together.lane.chains.x[0], alone.lane.chains.x[0])
    assert alone.lane.waking.calm and sentence(alone.lane.waking, alone.lane.neurons) == ""


def test_the_same_bits_come_again(open_on, run):
    state, _ = run(open_on(SLEEPER, NUMB, seed=5), 2)
    kept = snapshot(state)
    state, _ = run(state, 60)
    again, _ = run(open_on(SLEEPER, NUMB, seed=5), 62)
    resumed, _ = run(kept, 60)
    for other in (again, resumed):
        assert torch.equal(state.lane.chains.x, other.lane.chains.x)


def test_a_stored_session_goes_on_leading(run, tmp_path):
    code = tmp_path / "sleepers.py"
    code.write_text(
        "import torch\n"
        "from torch import nn\n"
        "def model():\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.ReLU())\n"
        "    nn.init.ones_(net[1].weight)\n"
        "    nn.init.constant_(net[1].bias, -12.0)\n"
        "    net.pixels = dict(channels=1, height=4, width=4, mean=[0], std=[1])\n"
        "    return net\n"
    )
    network = open_network(f"{code}:model")
    state, _ = run(open_session(SessionSpec(network, (Neuron("2", 0),))), 2)
    tensors, about = to_tensors(state)
    state, _ = run(state, 30)
    restored = from_tensors(tensors, about, opener=Opener(allow_code=True))
    restored, _ = run(restored, 30)
    assert torch.equal(state.lane.chains.x, restored.lane.chains.x)
    assert state.lane.waking.led.all() and restored.lane.waking.led.all()
    # Sessions of before chains were led are opened as they are.
    older = {name: value for name, value in tensors.items() if ".waking." not in name}
    assert from_tensors(older, about, opener=Opener(allow_code=True)).lane.waking.calm


def test_another_neuron_begins_anew(open_on, run):
    state, _ = run(open_on(NUMB), PATIENCE + 2)
    assert state.lane.waking.dead.all()
    state, _ = run(state, 2, {state.step: [("neurons", ("rectifier:0",))]})
    assert state.lane.waking.calm and not state.lane.waking.led.any()


def test_an_exact_chain_is_left_to_its_law_once_it_was_answered(open_on, run):
    state, _ = run(open_on(SLEEPER, mode="exact", temperature=0.0, l2=0.0), 40)
    assert state.lane.waking.answered.all()
    # Pulled strongly to 0, the unit falls silent again.
    end = {}
    for mode in ("exact", "normalised"):
        changes = {40: [("mode", mode), ("l2", 8.0)]}
        end[mode], _ = run(snapshot(state), PATIENCE, changes)
    assert end["exact"].lane.chains.x.abs().max() < 1e-6
    assert end["normalised"].lane.chains.x.min() > 0.01


@pytest.mark.parametrize(
    "rectify",
    [
        functional.relu,
        torch.relu,
        torch.Tensor.relu,
        lambda x: functional.relu(x, inplace=True),
        lambda x: x.relu_(),
        nn.ReLU6(inplace=True),
        nn.Hardswish(),
        lambda x: x.clamp(min=0),
        lambda x: torch.clamp_min(x, 0),
        nn.Threshold(0.0, 0.0),
    ],
)
def test_rectifiers_of_every_kind_leak_and_keep_their_values(rectify):
    start = torch.tensor([-5.0, -4.0, 2.0, 3.0])
    plain = rectify(start.clone())
    leaf = start.clone().requires_grad_(True)
    with LeakyRectifiers():
        leaking = rectify(leaf + 0)
    (gradient,) = torch.autograd.grad(leaking.sum(), leaf)
    assert torch.equal(leaking, plain)
    assert (gradient != 0).all()
