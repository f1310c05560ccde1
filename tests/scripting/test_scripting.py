"""The public interface: runs, frames, replays, errors, and a caller who is left as he was."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import warnings
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import ldam_studio as ldam
from ldam_studio.cli import main
from ldam_studio.export.links import link_of
from ldam_studio.export.shown import Shown
from ldam_studio.networks.sources import opening

PIXELS = {"channels": 1, "height": 8, "width": 8, "mean": [0.5], "std": [0.25]}
IMPORTS = """
import sys
before = set(sys.modules)
import ldam_studio as ldam
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert new - set(sys.stdlib_module_names) == {"ldam_studio"}, new
assert set(ldam.__all__) <= set(dir(ldam))
"""


class Small(nn.Module):
    """Everything that opening could disturb: buffers, hooks, dropout, weights that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.utils.spectral_norm(nn.Linear(4 * 36, 5))

    def forward(self, x):
        return self.head(self.drop(torch.relu(self.norm(self.conv(x)))).flatten(1))


@pytest.fixture(scope="module")
def lenet():
    return ldam.open_network("lenet")


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return ldam.open_network(Small(), pixels=PIXELS, labels=["a", "b", "c", "<d>", "e"])


class Described(Small):
    """Says what it takes, as own code does."""

    pixels = ldam.PixelSpec(1, 8, 8, (0.5,), (0.25,), rest=0.5)


def everything(module: nn.Module) -> dict:
    """Return all that a caller may notice of a module and of torch."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "tensors": {
            n: (id(t), t.data_ptr(), t._version, t.dtype, t.device, t.stride(), t.requires_grad)
            for n, t in tensors.items()
        },
        "values": {n: t.detach().clone().tolist() for n, t in tensors.items()},
        "gradients": {n: None if t.grad is None else t.grad.tolist() for n, t in tensors.items()},
        "modes": {n: (m.training, type(m), list(vars(m))) for n, m in module.named_modules()},
        "hooks": [dict(getattr(m, name)) for m in module.modules() for name in hooks],
        "generators": (
            torch.get_rng_state().tolist(),
            str(np.random.get_state()),
            random.getstate(),
        ),
        "torch": (
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.is_autocast_enabled("cpu"),
            torch.backends.cudnn.benchmark,
        ),
        "program": (warnings.filters[:], threading.active_count(), signal.getsignal(signal.SIGINT)),
    }


def fails(_done: int, _total: int) -> None:
    raise ZeroDivisionError


def test_importing_imports_nothing():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_stub_has_the_public_names():
    from ldam_studio import scripting

    assert ldam.__all__ == [*scripting.__all__, "studio"]
    with open(ldam.__file__ + "i", encoding="utf-8") as stub:
        assert sorted(line.split()[-1] for line in stub if " as " in line) == ldam.__all__
    for name in ldam.__all__:
        assert getattr(ldam, name).__doc__
    assert [name for name in dir(ldam) if name[0] != "_"] == ldam.__all__
    with pytest.raises(AttributeError, match="no attribute 'engine_room'"):
        _ = ldam.engine_room


def test_a_module_and_torch_stay_as_they_were():
    module, seen = Described().train(), []
    module.norm.eval()
    module.conv.bias.requires_grad_(False)
    module.conv.register_forward_hook(lambda *_pass: seen.append(1))
    module.head.double().float()
    module(torch.randn(4, 1, 8, 8)).sum().backward()
    threads = torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)
    try:
        before = everything(module)
        with torch.no_grad():
            network = ldam.open_network(module, pixels=PIXELS)
            run = ldam.sample(network, 1, steps=3)
        assert everything(module) == before
        with torch.inference_mode(), torch.autocast("cpu"), torch.device("meta"):
            inside = ldam.sample(module, 1, steps=3)
            assert torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
        assert np.array_equal(inside.samples, run.samples)
        frames = ldam.stream(network, 1)
        next(frames)
        assert everything(module) == before
        frames.close()
        for wrong in (
            lambda: ldam.sample(network, 1, steps=9, progress=fails),
            lambda: ldam.sample(network, 1, step_sice=1),
            lambda: ldam.open_network(module, pixels=PIXELS | {"height": 2}),
        ):
            with pytest.raises((ldam.StudioError, ZeroDivisionError)):
                wrong()
            assert everything(module) == before
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


def test_torchscript_is_a_module_like_others():
    plain = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces its end
        module = torch.jit.script(plain)
        one, other = (
            ldam.sample(ldam.open_network(m, pixels=PIXELS), 1, steps=3) for m in (module, plain)
        )
    assert np.allclose(one.samples, other.samples, atol=1e-5)
    assert all(p.requires_grad and p.is_leaf for p in module.parameters())


def test_training_goes_on_without_changing_an_opened_network():
    module = Small()
    network = ldam.open_network(module, pixels=PIXELS)
    before = ldam.sample(network, 0, steps=2).samples
    with torch.no_grad():
        module.conv.weight.zero_()
    assert np.array_equal(ldam.sample(network, 0, steps=2).samples, before)


def test_a_run_is_what_render_draws(lenet, tmp_path, capsys):
    words = "render --neuron fc3:3-4 --chains 4 --steps 20 --seed 3 --preset clean --arrays"
    assert main([*words.split(), "--precision", "float32", "--out", str(tmp_path)]) == 0
    run = ldam.sample(lenet, ["3", 4], steps=20, chains=4, seed=3, preset="clean")
    with np.load(tmp_path / "chains.npz") as drawn:
        assert np.array_equal(run.samples, drawn["x"])
        assert np.array_equal(run.average, drawn["average"])
        assert np.array_equal(run.activation, drawn["activation"])
    assert run.neurons == ("fc3:3", "fc3:3", "fc3:4", "fc3:4")
    assert run.labels == ("3", "3", "4", "4")
    assert run.settled.shape == (4,) and run.settled.dtype == bool


def test_neurons_are_named_by_whatever_counts(lenet):
    scores = torch.eye(10)[3]
    for one in (3, np.int64(3), np.array(3), scores.argmax()):
        assert ldam.sample(lenet, one, steps=1).neurons == ("fc3:3",)
    for several in (range(3, 5), np.arange(3, 5), torch.tensor([3, 4]), iter(["3", 4])):
        assert ldam.sample(lenet, several, steps=1).neurons == ("fc3:3", "fc3:4")
    assert repr(lenet) == "Network(lenet: images of 1 x 28 x 28, 12 layers, 10 classes in fc3)"


def test_frames_are_the_run_so_far(small):
    frames = list(ldam.stream(small, [0, 1], every=3, steps=8, thin=2))
    run = ldam.sample(small, [0, 1], steps=8, thin=2)
    assert [frame.steps for frame in frames] == [3, 6, 8]
    assert not any(frame.interrupted for frame in frames)
    assert np.array_equal(frames[-1].average, run.average)
    assert np.array_equal(np.concatenate([frame.activation for frame in frames]), run.activation)
    first = next(ldam.stream(small, 0, thin=2))
    assert first.samples.shape == (1, 1, 8, 8) and np.isnan(first.average).all()
    assert first._repr_png_() and "average" in first._repr_html_()
    # A frame stays what it was.
    assert frames[0].steps == 3 and not np.array_equal(frames[0].samples, frames[1].samples)


def test_ctrl_c_and_a_function_for_progress_end_a_run(small, capsys):
    def press(done: int, total: int) -> None:
        assert total == 50
        if done == 4:
            signal.raise_signal(signal.SIGINT)

    run = ldam.sample(small, 0, steps=50, progress=press)
    assert run.interrupted and run.steps == 4
    run = ldam.sample(small, 0, steps=50, progress=lambda done, _total: done < 7)
    assert run.interrupted and run.steps == 7
    assert not ldam.sample(small, 0, steps=2, progress=True).interrupted


def test_a_picture_is_replayed(lenet, tmp_path):
    run = ldam.sample(lenet, 4, steps=6, seed=2)
    (path,) = run.save(tmp_path / "four.png", zoom=2)
    again = ldam.replay(path)
    assert again.identical and not again.differences
    assert np.array_equal(again.samples, run.samples) and again.settings == run.settings
    assert np.array_equal(again.activation, run.activation)
    link = link_of(run._sampled.state, Shown("strip"))
    linked = ldam.replay(link)
    assert linked.identical and np.array_equal(linked.activation, run.activation)
    with pytest.raises(ldam.StudioError, match="copy the whole line"):
        ldam.replay(link[:-9])
    run.save(tmp_path / "four.npz")
    with np.load(tmp_path / "four.npz") as arrays:
        assert np.array_equal(arrays["average"], run.average)


def test_a_module_in_memory_is_replayed_only_where_it_is_given(small, tmp_path, capsys):
    run = ldam.sample(small, "<d>", chains=2, steps=5)
    assert run.notes[0].startswith("head:3: ")
    (path,) = run.save(tmp_path / "small.png")
    assert "has" in run.recipe["cannot_replay"] and run.network == "memory:Small"
    assert ldam.replay(path, network=small).identical
    with pytest.raises(ldam.StudioError, match=r"^Small was a module in the memory"):
        ldam.replay(path)
    torch.manual_seed(1)
    with pytest.raises(ldam.StudioError, match="it differs in its weights"):
        ldam.replay(path, network=ldam.open_network(Small(), pixels=PIXELS))
    assert main(["replay", str(path), "--allow-code"]) == 2
    assert "Small was a module in the memory" in capsys.readouterr().err


def test_a_run_shows_itself(small):
    run = ldam.sample(small, [3, 0], steps=3, temperature=0.5)
    assert repr(run) == "Run(memory:Small head:3, head:0: 2 chains, 3 steps, seed 0)"
    raw, average = run.samples, run.average
    picture = np.asarray(Image.open(BytesIO(run._repr_png_())))
    assert picture.shape[0] == 2 * 8 * 12 + 8 and raw.shape == average.shape
    text = run._repr_html_()
    assert text.count("<img") == 2 and "<code>temperature</code></td><td>0.5</td>" in text
    assert "<d>" not in text
    assert "All settings have their default" in ldam.sample(small, 0, steps=1)._repr_html_()


def test_a_download_tells_how_far_it_is_and_can_be_stopped(tmp_path, monkeypatch, capsys):
    torchvision = pytest.importorskip("torchvision")
    saved = tmp_path / "published.safetensors"
    save_file(torchvision.models.squeezenet1_1(weights=None).state_dict(), saved)

    def fetch(_url, on_bytes, file):
        if any(on_bytes(had, 10) is False for had in (4, 10)):
            raise ldam.StudioError("The download was stopped; nothing was kept.")
        return saved

    monkeypatch.setattr(opening, "fetch", fetch)
    told = []
    ldam.open_network("torchvision:squeezenet1_1", progress=lambda *bytes_: told.append(bytes_))
    assert told == [(4, 10), (10, 10)]
    with pytest.raises(ldam.StudioError, match="stopped; nothing was kept"):
        ldam.open_network("torchvision:squeezenet1_1", progress=lambda had, _size: had < 5)
    ldam.open_network("torchvision:squeezenet1_1", progress=True)
    assert capsys.readouterr().out == ""


def nan_weights() -> nn.Module:
    module = Small()
    with torch.no_grad():
        module.conv.weight[0] = torch.nan
    return module


class Scores(nn.Module):
    """Returns numbers of Python's, as some detectors do, which are no classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, x):
        return [self.conv(x)[0].mean().item()]


WRONG = {
    "unknown network": (lambda: ldam.sample("lenett", 0), "There is no network 'lenett'"),
    "no network": (lambda: ldam.open_network(3), "a name or a torch.nn.Module, not int"),
    "unknown neuron": (lambda: ldam.sample("lenet", "fc3:10"), "has neurons 0 to 9, not 10"),
    "two layers": (lambda: ldam.sample("lenet", ["fc3:1", "fc2:1"]), "fc3, fc2"),
    "no neuron": (lambda: ldam.sample("lenet", []), "no neurons to draw; name one, for"),
    "bytes": (lambda: ldam.sample("lenet", b"fc3:1"), "not by b'fc3:1'"),
    "odd neuron": (lambda: ldam.sample("lenet", 1.5), "not by 1.5"),
    "a setting": (lambda: ldam.sample("lenet", 1, temprature=1), "the nearest is temperature"),
    "a value": (lambda: ldam.sample("lenet", 1, temperature=-1), "Temperature must lie"),
    "a preset": (lambda: ldam.sample("lenet", 1, preset="cleen"), "no preset 'cleen'"),
    "odd preset": (lambda: ldam.sample("lenet", 1, preset=3), "no preset '3'"),
    "no steps": (lambda: ldam.sample("lenet", 1, steps=0), "steps must lie between 1"),
    "odd steps": (lambda: ldam.sample("lenet", 1, steps=2.5), "steps must be a whole number"),
    "no frames": (lambda: ldam.stream("lenet", 1, every=0), "every must lie between 1"),
    "no samples": (lambda: ldam.sample("lenet", 1, steps=2, thin=3), "the run ends with step 2"),
    "no CUDA": (lambda: ldam.sample("lenet", 1, device="cuda"), "no usable cuda device"),
    "pixels": (
        lambda: ldam.open_network(Small(), pixels=PIXELS | {"height": 5}),
        "fails on an image of 1 x 5 x 8",
    ),
    "no pixels": (lambda: ldam.open_network(Small()), "takes; give open_network pixels="),
    "no number": (
        lambda: ldam.open_network(Small(), pixels=PIXELS | {"minimum": "low"}),
        "incomplete or damaged",
    ),
    "odd pixels": (lambda: ldam.open_network(Small(), pixels=8), "pixels= is neither"),
    "lacking pixels": (
        lambda: ldam.open_network(Small(), pixels={"channels": 1, "height": 8, "width": 8}),
        "pixels= lacks mean, std; its entries are channels, height,",
    ),
    "unknown pixels": (
        lambda: ldam.open_network(Small(), pixels=PIXELS | {"size": 8}),
        "pixels= has size; its entries are channels, height,",
    ),
    "one mean": (
        lambda: ldam.open_network(Small(), pixels=PIXELS | {"mean": 0.5}),
        "one mean for each channel, as a list, not 0.5",
    ),
    "fixed pixels": (lambda: ldam.open_network("lenet", pixels=PIXELS), "leave out pixels=."),
    "weights in memory": (
        lambda: ldam.open_network(Small(), weights=Small().state_dict()),
        "not OrderedDict; weights in memory are loaded into a module",
    ),
    "a dictionary of labels": (
        lambda: ldam.open_network(Small(), pixels=PIXELS, labels={0: "a"}),
        "not dict; of a dictionary by numbers, give the names",
    ),
    "no package": (
        lambda: ldam.open_network("there_is_none:make"),
        "No module named 'there_is_none'); write FILE.py:FUNCTION",
    ),
    "labels": (
        lambda: ldam.open_network(Small(), pixels=PIXELS, labels=["one", "two"]),
        "The list of labels has 2 labels, but the network has 5",
    ),
    "NaN": (
        lambda: ldam.open_network(nan_weights(), pixels=PIXELS),
        "'conv.weight'; give another file (weights=).",
    ),
    "no classes": (
        lambda: ldam.sample(ldam.open_network(Scores(), pixels=PIXELS), 1),
        "returns nothing that could be its classes",
    ),
    "no picture": (lambda: ldam.replay("nowhere.png"), "nowhere.png"),
    "no opened network": (
        lambda: ldam.replay("nowhere.png", network=Small()),
        "open the Small with open_network first",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_sentence(name):
    wrong, says = WRONG[name]
    with pytest.raises(ldam.StudioError, match=r"^[^\n]*[.)]?$") as raised:
        wrong()
    assert says in str(raised.value)


@pytest.mark.cuda
def test_a_module_on_the_graphics_card_stays_there():
    module = Small().cuda()
    before = everything(module)
    run = ldam.sample(ldam.open_network(module, pixels=PIXELS), 2, steps=3)
    assert everything(module) == before and np.isfinite(run.samples).all()
