"""Too little memory is one sentence, before it is used up, and the session stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.engine import advance as advancing
from ldam_studio.engine import demand
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes import Change
from ldam_studio.errors import StudioError
from ldam_studio.memory import free_bytes, give_back, in_words
from ldam_studio.networks import weights
from ldam_studio.networks.zoo import open_network


def test_what_a_step_needs_grows_with_the_chains_and_shrinks_with_a_crop(lenet):
    def needs(layer, chains):
        return demand.step_bytes(lenet, layer, lenet.crop(layer), chains)

    assert needs("fc3", 10) == 10 * needs("fc3", 1)
    # conv1, pool1, relu1, conv2, pool2, relu2, flatten, fc1, relu3, fc2, relu4, fc3, and pixels.
    values = 6 * 28 * 28 + 2 * 6 * 14 * 14 + 1600 + 3 * 400 + 2 * 120 + 2 * 84 + 10 + 8 * 784
    assert needs("fc3", 1) == 4 * values
    assert lenet.crop("conv1") is not None
    assert needs("conv1", 1) < 4 * (6 * 28 * 28 + 8 * 784)


def test_chains_that_do_not_fit_are_refused_and_the_session_stays(lenet, open_one, monkeypatch):
    state = open_one(chains=2)
    room = demand.step_bytes(lenet, "fc3", None, 50)
    monkeypatch.setattr(demand, "free_bytes", lambda: room)
    state, info = advance(state, [Change("chains", 200)])
    assert "200 chains need in layer fc3 of lenet at least" in info.refused[0]
    assert "take fewer chains." in info.refused[0]
    assert len(state.lane.neurons) == 2 and state.step == 1
    monkeypatch.setattr(demand, "free_bytes", lambda: 10)
    with pytest.raises(StudioError, match=r"1 chain needs .* take a smaller input"):
        open_one(chains=1)


def test_the_command_line_says_it_in_one_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demand, "free_bytes", lambda: 100_000)
    assert main(["render", "--steps", "1", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert "10 chains need" in said and "100.0 kB are free" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 99 bytes")],
)
def test_memory_that_ends_in_a_step_is_one_sentence_and_the_step_can_be_taken_again(
    open_one, monkeypatch, error
):
    expected, _ = advance(open_one(seed=4))

    def fail(*_args):
        raise error

    state = open_one(seed=4)
    with monkeypatch.context() as patch:
        patch.setattr(advancing, "_move", fail)
        with pytest.raises(StudioError, match="not enough memory for 3 chains in layer fc3"):
            advance(state)
    state, _ = advance(state)
    assert torch.equal(state.lane.chains.x, expected.lane.chains.x)


def test_another_error_is_left_alone(open_one, monkeypatch):
    def fail(*_args):
        raise RuntimeError("shapes")

    monkeypatch.setattr(advancing, "_move", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        advance(open_one())


def test_weights_larger_than_memory_are_not_read(monkeypatch, tmp_path):
    path = tmp_path / "huge.safetensors"
    path.write_bytes(b"x" * 1000)
    monkeypatch.setattr(weights, "free_bytes", lambda: 1999)
    with pytest.raises(StudioError, match=r"huge\.safetensors needs at least 2\.0 kB of memory"):
        weights.read_saved(path)


def test_weights_that_are_not_numbers_are_said_at_opening(tmp_path):
    code = tmp_path / "nan.py"
    code.write_text(
        "from torch import nn\n"
        "def model():\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))\n"
        "    net[1].weight.data[1, 3] = float('nan')\n"
        "    net.pixels = dict(channels=1, height=4, width=4, mean=[0], std=[1])\n"
        "    return net\n"
    )
    with pytest.raises(StudioError, match=r"not finite, in '1\.weight'; give others"):
        open_network(f"{code}:model")


def test_the_limit_of_a_container_counts(tmp_path: Path):
    assert free_bytes(tmp_path) > 10**8
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 700\ninactive_file 150\n")
    assert free_bytes(tmp_path) > 10**8
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_bytes(tmp_path) == 250


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 kB"), (1.5e6, "1.5 MB"), (1234.5e9, "1,234.5 GB")]
)
def test_bytes_in_words(size, words):
    assert in_words(size) == words


def test_giving_memory_back_changes_nothing():
    kept = torch.arange(1000)
    give_back()
    assert torch.equal(kept, torch.arange(1000))
