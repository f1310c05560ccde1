"""`studio`: what the window starts with, in the script's process and in one of its own."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import ldam_studio as ldam
from ldam_studio.cli import build_parser
from ldam_studio.commands import studio as command
from ldam_studio.gui.app import apart
from ldam_studio.gui.app.application import opening_of
from ldam_studio.gui.app.asked import Asked, start_of
from ldam_studio.gui.app.scripted import is_interactive

PIXELS = ldam.PixelSpec(1, 8, 8, (0.5,), (0.25,), rest=0.5)


class Small(nn.Module):
    """A module that another process can import."""

    pixels = PIXELS

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.last = nn.Linear(4 * 36, 3)

    def forward(self, x):
        return self.last(torch.relu(self.conv(x)).flatten(1))


def small():
    torch.manual_seed(0)
    return ldam.open_network(Small(), labels=["a", "b", "<c>"])


def drawn(start, steps):
    """Return the images of the window's first session after some steps."""
    from ldam_studio.engine.advance import advance

    state = opening_of(start).make()
    for _ in range(steps):
        state, _ = advance(state, [])
    return state.lane.chains.x.numpy()


def test_the_window_draws_what_sample_draws():
    asked = {"neurons": "fc3:3-4", "chains": 3, "preset": "clean", "seed": 5, "step_size": 0.2}
    words = {n: v for n, v in asked.items() if n != "step_size"}
    settings = {"step_size": 0.2}
    start = start_of(Asked("lenet", **words, precision="float32", threads=1, settings=settings))
    run = ldam.sample("lenet", steps=3, **asked)
    assert (drawn(start, 3) == run.samples).all()


def test_what_is_not_asked_for_is_the_windows_own():
    state = opening_of(start_of(Asked("lenet"))).make()
    assert len(state.lane.neurons) == 10 and state.lane.settings.window == 150
    start = start_of(Asked(small(), seed=9))
    spec = start.named.spec
    assert spec.seed == 9 and {str(neuron) for neuron in spec.neurons} == {
        "last:0",
        "last:1",
        "last:2",
    }
    assert "not kept when the window closes" in opening_of(start).note


def test_the_command_line_says_with_which_neurons_the_window_begins():
    words = ["studio", "--network", "lenet", "--neuron", "fc3:3-4", "--chains", "4", "--seed", "5"]
    spec = command.start_of(build_parser().parse_args(words)).named.spec
    assert list(map(str, spec.neurons)) == ["fc3:3", "fc3:3", "fc3:4", "fc3:4"] and spec.seed == 5
    plain = command.start_of(build_parser().parse_args(words[:3])).named
    assert plain.spec is None
    with pytest.raises(ldam.StudioError, match="--neuron needs --network"):
        command.run(build_parser().parse_args(["studio", *words[3:]]))
    with pytest.raises(ldam.StudioError, match="has neurons 0 to 9, not 10"):
        command.start_of(build_parser().parse_args([*words[:3], "--neuron", "fc3:10"]))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked("lenet", "fc3:10"), "has neurons 0 to 9, not 10"),
        (Asked("lenet", settings={"temprature": 1}), "the nearest is temperature"),
        (Asked("lenet", settings={"temperature": -1}), "Temperature must lie"),
        (Asked("lenet", preset="cleen"), "no preset 'cleen'"),
        (Asked("lenet", chains=0), "chains must lie between 1"),
        (Asked("lenet", seed=-1), "seed must lie between 0"),
        (Asked(small(), settings={"discriminator_weight": 0.5}), "There is no discriminator"),
        (Asked("lenet", threads=0.5), "threads must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_before_there_is_a_window(asked, says):
    with pytest.raises(ldam.StudioError, match=r"^[^\n]*$") as raised:
        start_of(asked)
    assert says in str(raised.value)


def sent(asked: Asked) -> tuple:
    """Return what the other process starts with, and what it answers."""
    return apart.received(io.BytesIO(apart.sent(asked)))


def test_networks_arrive_in_another_process(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    network = small()
    there = sent(Asked(network, "conv:1", seed=3)).named
    assert (there.network.sha256, there.network.labels) == (network.sha256, network.labels)
    assert [str(neuron) for neuron in there.spec.neurons] == ["conv:1"] and there.spec.seed == 3
    code = tmp_path / "mine.py"
    code.write_text("from torch import nn\ndef model(): return nn.Sequential(nn.Conv2d(1, 2, 3))\n")
    own = ldam.open_network(
        f"{code}:model", pixels=PIXELS, weights="random:3", class_layer="0", labels=["x", "y"]
    )
    there = sent(Asked(own)).named
    assert (there.network.sha256, there.network.pixels) == (own.sha256, PIXELS)
    assert there.network.labels == ("x", "y") and there.request.random_seed == 3


def test_what_cannot_travel_says_what_to_do_instead(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    module = Small()
    module.register_forward_hook(lambda *_pass: None)
    with pytest.raises(ldam.StudioError, match="own_process=False, or name a function"):
        apart.sent(Asked(module))
    monkeypatch.setattr(Small, "__module__", "__main__")
    with pytest.raises(ldam.StudioError, match="pip install cloudpickle"):
        apart.sent(Asked(Small()))


class Ended(SimpleNamespace):
    """A process that has answered and ended."""

    def __init__(self, said: bytes) -> None:
        super().__init__(stdin=io.BytesIO(), stdout=io.BytesIO(said), wait=lambda: 1)


@pytest.mark.parametrize(
    ("said", "says"), [(b'"No such neuron."\n', "No such neuron."), (b"", "the terminal says why")]
)
def test_the_other_process_says_what_is_wrong(monkeypatch, said, says):
    monkeypatch.setattr(subprocess, "Popen", lambda *_words, **_how: Ended(said))
    with pytest.raises(ldam.StudioError, match=says):
        ldam.studio("lenet", own_process=True)
    monkeypatch.setattr(subprocess, "Popen", lambda *_words, **_how: Ended(b"null\n"))
    assert isinstance(ldam.studio("lenet", own_process=True), Ended)


class Noisy:
    """Prints while another process makes it, as modules may, and then fails."""

    def __reduce__(self):
        return exec, ("print('hello'); raise ValueError('not today')",)


@pytest.mark.thorough
def test_what_a_module_prints_while_it_is_made_is_no_answer():
    done = subprocess.run(
        [sys.executable, "-m", apart.__name__],
        input=pickle.dumps(sys.path) + pickle.dumps(Noisy()),
        capture_output=True,
        timeout=120,
    )
    assert "cannot be made again in another process (ValueError: not today)" in json.loads(
        done.stdout
    )
    assert b"hello" in done.stderr


def test_notebooks_and_prompts_get_a_process_of_their_own(monkeypatch):
    assert not is_interactive()
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert is_interactive()


def test_another_thread_or_another_window_is_refused(qapp):
    said = []

    def ask() -> None:
        try:
            ldam.studio("lenet", own_process=False)
        except ldam.StudioError as error:
            said.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    ask()
    assert "main thread" in said[0] and "a window of Qt already" in said[1]


SCRIPT = """
import gc, sys, torch
from torch import nn
import ldam_studio as ldam
from ldam_studio.gui.window.window import StudioWindow

made = StudioWindow.__init__

def closing(self, *args, **words):
    made(self, *args, **words)
    self.first_frame.connect(self.close)

StudioWindow.__init__ = closing
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2))
network = ldam.open_network(net, pixels=ldam.PixelSpec(1, 8, 8, (0.5,), (0.25,), rest=0.5))
before = torch.get_num_threads(), sys.getswitchinterval(), torch.get_default_dtype()
for _ in range(2):
    assert ldam.studio(network, 1, chains=2) is None
assert (torch.get_num_threads(), sys.getswitchinterval(), torch.get_default_dtype()) == before
assert gc.get_freeze_count() == 0
print(ldam.sample(network, 1, steps=2).steps)
sys.exit(3)
"""


@pytest.mark.thorough
def test_a_script_goes_on_when_its_window_is_closed(tmp_path):
    place = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **place, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (3, "2\n"), done.stderr
    assert not list(Path(tmp_path).rglob("*.ldam-session.safetensors"))  # none could be opened
