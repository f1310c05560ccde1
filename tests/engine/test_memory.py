"""Too little memory is one sentence, before it is used up, and the session stays."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.engine import advance as advancing
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute import memory_needed
from ldam_studio.errors import StudioError
from ldam_studio.memory import free_bytes, give_back, in_words, keep_freed, share_one_heap
from ldam_studio.networks.sources import opening
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights import weights


def test_what_a_step_needs_grows_with_the_chains_and_shrinks_with_a_crop(lenet):
    def needs(layer, chains):
        return memory_needed.step_bytes(lenet, layer, lenet.crop(layer), chains)

    assert needs("fc3", 10) == 10 * needs("fc3", 1)
    # conv1, pool1, relu1, conv2, pool2, relu2, flatten, fc1, relu3, fc2, relu4, fc3, and pixels.
    values = 6 * 28 * 28 + 2 * 6 * 14 * 14 + 1600 + 3 * 400 + 2 * 120 + 2 * 84 + 10 + 8 * 784
    assert needs("fc3", 1) == 4 * values
    assert lenet.crop("conv1") is not None
    assert needs("conv1", 1) < 4 * (6 * 28 * 28 + 8 * 784)


def test_chains_that_do_not_fit_are_refused_and_the_session_stays(lenet, open_one, monkeypatch):
    state = open_one(chains=2)
    room = memory_needed.step_bytes(lenet, "fc3", None, 50)
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: room)
    state, info = advance(state, [Change("chains", 200)])
    assert "200 chains need in layer fc3 of lenet at least" in info.refused[0]
    assert "take fewer chains." in info.refused[0]
    assert len(state.lane.neurons) == 2 and state.step == 1
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: 10)
    with pytest.raises(StudioError, match=r"1 chain needs .* take a smaller input"):
        open_one(chains=1)


def test_chains_that_do_not_fit_are_not_even_drawn(open_one, monkeypatch):
    """A thousand chains of 1024 pixels, which any file may ask for, are 12 GB of noise."""
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: 10)
    monkeypatch.setattr("ldam_studio.engine.lane.draw_starts", lambda *_: pytest.fail("drawn"))
    with pytest.raises(StudioError, match="2 chains need"):
        open_one(chains=2)


def test_the_command_line_says_it_in_one_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: 100_000)
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
    monkeypatch.setattr(weights, "free_bytes", lambda: 2999)
    with pytest.raises(StudioError, match=r"huge\.safetensors needs at least 3\.0 kB of memory"):
        weights.read_saved(path)


PROCESSOR = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4200000000 bytes."
LACKS = {
    "processor": (RuntimeError(PROCESSOR), ", 4.2 GB in one piece; "),
    "graphics card": (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"),
        ", 2.7 GB in one piece; ",
    ),
    "processor on Windows": (
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 900000 bytes."),
        ", 900.0 kB in one piece; ",
    ),
    "Apple's graphics": (
        RuntimeError("MPS backend out of memory (max allowed: 9 GB). Tried to allocate 2.50 GB on"),
        ", 2.7 GB in one piece; ",
    ),
    "Python": (MemoryError(), " needs more memory than there is; "),
}


@pytest.fixture(params=LACKS)
def lack(request):
    """What fails for want of memory, and what is said of it."""
    return LACKS[request.param]


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_that_find_no_memory_are_not_called_damaged(monkeypatch, tmp_path, lack, suffix):
    def fail(*_args, **_kwargs):
        raise lack[0]

    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"PK" + bytes(100))
    monkeypatch.setattr(weights, "tensors_of", fail)
    with pytest.raises(StudioError, match=rf"file .*w\{suffix} needs more memory") as refused:
        weights.read_saved(path)
    assert lack[1] in str(refused.value)
    assert str(refused.value).endswith("are free; close other programs.")


CODE = """
from torch import nn
import fate
class Large(nn.Flatten):
    def forward(self, x):
        if fate.at == "in the forward pass":
            raise fate.lack
        return super().forward(x)
def model():
    if fate.at == "in the function":
        raise fate.lack
    network = nn.Sequential(Large(), nn.Linear(16, 2))
    network.pixels = dict(channels=1, height=4, width=4, mean=[0], std=[1])
    return network
if fate.at == "in the file":
    raise fate.lack
"""


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("in the file", "The network .*large.py:model needs"),
        ("in the function", "The network .*large.py:model needs"),
        ("in the forward pass", r"on an image of 1 x 4 x 4 in its layer 0 \(Large\), .*, needs"),
    ],
)
def test_a_network_that_finds_no_memory_says_how_much_it_wanted(
    monkeypatch, tmp_path, lack, at, says
):
    fate = ModuleType("fate")
    fate.at, fate.lack = at, lack[0]
    monkeypatch.setitem(sys.modules, "fate", fate)
    (tmp_path / "large.py").write_text(CODE)
    with pytest.raises(StudioError, match=f"{says} more memory than there is") as refused:
        open_network(f"{tmp_path}/large.py:model")
    assert lack[1] in str(refused.value)
    assert "close other programs" in str(refused.value)


def test_a_built_in_network_that_finds_no_memory_is_a_sentence_too(monkeypatch, lack):
    def fail(*_args, **_kwargs):
        raise lack[0]

    monkeypatch.setattr(opening, "load_into", fail)
    with pytest.raises(StudioError, match="The network lenet needs more memory than there is"):
        open_network("lenet")


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
    with pytest.raises(StudioError, match=r"not finite, in '1\.weight'; give another"):
        open_network(f"{code}:model")


def test_the_limit_of_a_container_counts(tmp_path: Path):
    assert free_bytes(tmp_path) > 10**8
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 700\ninactive_file 100\nactive_file 50\n")
    assert free_bytes(tmp_path) > 10**8
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_bytes(tmp_path) == 250


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 kB"), (1.5e6, "1.5 MB"), (1234.5e9, "1,234.5 GB")]
)
def test_bytes_in_words(size, words):
    assert in_words(size) == words


@pytest.mark.parametrize("care", [give_back, keep_freed, share_one_heap])
def test_care_of_the_heap_changes_nothing_that_is_kept(care):
    kept = torch.arange(1000)
    care()
    assert torch.equal(kept, torch.arange(1000))
