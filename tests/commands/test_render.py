"""`ldam-studio render` and `replay` from the command line, without a window."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.sources.labels import classes_like, imagenet_labels
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.scripting import course, interrupt
from ldam_studio.scripting.neurons import neurons_of
from ldam_studio.scripting.request import spread

BLOCKED = """
import sys
class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PyQt6", "pyqtgraph", "superqt"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, NoQt())
from ldam_studio.cli import main
for line in sys.argv[1:]:
    print("returned", main(line.split()), flush=True)
"""


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main([*words, "--json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out)


@pytest.mark.parametrize(
    ("named", "meant"), [("7", "fc3:7"), ("fc3: 7", "fc3:7"), ("-3", "-fc3:3"), ("fc2:1", "fc2:1")]
)
def test_a_class_is_asked_for_by_its_name(named, meant):
    assert [str(n) for n in neurons_of([named], open_network("lenet"))] == [meant]


@pytest.mark.parametrize(
    ("named", "says"),
    [("seven", "is not a neuron"), ("fc3:x", "is not a neuron"), ("77", "similar classes: 7.")],
)
def test_a_class_that_is_not_there_is_a_sentence(named, says, tmp_path, capsys):
    assert main(["render", "--neuron", named, "--out", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("called", "likely"), [("goldfih", "goldfish"), ("Goldf", "goldfinch"), ("xyzxyz", None)]
)
def test_names_that_are_like_it_are_offered(called, likely):
    found = classes_like(called, imagenet_labels())
    assert found == [] if likely is None else likely in found


def test_the_command_line_of_the_manual(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    line = (
        "render --network lenet --neuron fc3:4 --steps 60 --seed 7 --temperature 0.1 "
        "--step-size 0.1 --l2 0.5 --discriminator-weight 0 --mode exact --chains 10 "
        "--burn-in 20 --window 30 --thin 2 --clamp --device auto --arrays"
    )
    report = run(capsys, *line.split(), "--out", str(tmp_path))
    assert report["network"] == "lenet"
    assert report["neurons"] == ["fc3:4"]
    assert report["steps"] == 60
    assert report["steps_per_second"] > 0
    assert len(report["activation"]) == 10
    assert report["burned_in"] is True
    assert report["samples_averaged"] == 20
    with np.load(report["paths"]["arrays"]) as arrays:
        assert arrays["x"].shape == (10, 1, 28, 28)
        assert 0 <= arrays["x"].min() and arrays["x"].max() <= 1
        assert arrays["average"].shape == (10, 1, 28, 28)
        assert arrays["activation"].shape == (60, 10)
    settings = read_recipe(Path(report["paths"]["average"])).data["session"]["lanes"][0]["settings"]
    assert settings["mode"] == "exact"
    assert settings["clamp"] is True
    assert (settings["window"], settings["thin"], settings["burn_in"]) == (30, 2, 20)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "average.png",
        "chains.npz",
        "raw.png",
    ]


def test_several_chains_are_a_grid_and_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    one = run(capsys, *"render --neuron fc3:4 --steps 4 --out".split(), str(tmp_path / "1"))
    with Image.open(one["paths"]["average"]) as image:
        assert image.size == (28, 28)
    many = run(capsys, *"render --steps 4 --zoom 2 --out".split(), str(tmp_path / "10"))
    with Image.open(many["paths"]["raw"]) as image:
        assert image.size == (2 * (10 * 29 - 1), 56)


@pytest.mark.parametrize("picture", ["average", "raw"])
def test_both_pictures_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str], picture: str):
    report = run(capsys, *"render --steps 25 --seed 3 --chains 12 --out".split(), str(tmp_path))
    again = tmp_path / "again.png"
    found = run(capsys, "replay", report["paths"][picture], "--out", str(again))
    assert found["identical"] is True
    assert found["correlation"] == 1.0
    assert found["steps"] == 25
    with Image.open(again) as one, Image.open(report["paths"][picture]) as other:
        assert np.array_equal(np.asarray(one), np.asarray(other))
    assert main(["replay", report["paths"][picture]]) == 0
    assert "identical" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [
        "--schedule-shape cycles --schedule 6 --schedule-course cosine --temperature-start 1",
        "--schedule-shape curves --temperature-curve 0:1,9:.01 --discriminator-weight-curve 0:.2",
    ],
)
def test_schedules_from_the_command_line_replay(tmp_path: Path, capsys, flags: str):
    words = f"render --neuron fc3:4 --steps 15 --out {tmp_path} {flags}".split()
    made = run(capsys, *words)
    replayed = run(capsys, "replay", made["paths"]["average"])
    assert replayed["identical"]


def test_same_seed_same_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        run(capsys, *"render --steps 12 --seed".split(), seed, "--out", str(tmp_path / name))
    a, b, c = ((tmp_path / name / "raw.png").read_bytes() for name in "abc")
    assert a == b != c


def test_a_chain_that_never_burns_in_averages_the_last_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    line = "render --neuron fc3:1 --threshold 1000000 --steps 41 --thin 3 --arrays --out"
    report = run(capsys, *line.split(), str(tmp_path))
    assert report["burned_in"] is False
    # Samples are taken at steps 3, 6, ..., 39; those after step 20 count.
    assert report["samples_averaged"] == 7
    assert main([*line.split(), str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "The chain has not burned in by step" in said and "last half of the run" in said


def test_the_last_half_without_a_sample_keeps_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    line = "render --neuron fc3:1 --threshold 1000000 --steps 10 --thin 4 --window 3 --out"
    assert run(capsys, *line.split(), str(tmp_path))["samples_averaged"] == 1
    line = "render --neuron fc3:1 --threshold 1000000 --steps 9 --thin 5 --out"
    assert run(capsys, *line.split(), str(tmp_path))["samples_averaged"] == 1


def test_chains_are_spread_over_the_neurons():
    neurons = parse_neurons("fc3:0-2")
    assert [n.index for n in spread(neurons, None)] == [0, 1, 2]
    assert [n.index for n in spread(neurons, 1)] == [0, 1, 2]
    assert [n.index for n in spread(neurons, 7)] == [0, 0, 0, 1, 1, 2, 2]
    assert spread([Neuron("fc2", 5)], 3) == (Neuron("fc2", 5),) * 3


def test_neurons_are_repeatable_and_ranges(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    line = "render --neuron fc2:5 --neuron fc2:10-12 --steps 2 --out"
    report = run(capsys, *line.split(), str(tmp_path))
    assert report["neurons"] == ["fc2:5", "fc2:10", "fc2:11", "fc2:12"]


def test_ctrl_c_writes_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    real = course.advance

    def press_at_ten(state, changes):
        if state.step == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return real(state, changes)

    monkeypatch.setattr(course, "advance", press_at_ten)
    before = signal.getsignal(signal.SIGINT)
    code = main(["render", "--steps", "100000", "--arrays", "--json", "--out", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert code == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert report["steps"] == 10 and report["interrupted"] is True
    with np.load(report["paths"]["arrays"]) as arrays:
        assert arrays["activation"].shape == (10, 10)
    assert main(["replay", report["paths"]["average"]]) == 0


def test_ctrl_c_before_the_first_sample_writes_the_raw_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    class AtOnce(interrupt.Wish):
        def __init__(self) -> None:
            self.stop = True

    monkeypatch.setattr(interrupt, "Wish", AtOnce)
    code = main(["render", "--arrays", "--json", "--out", str(tmp_path)])
    assert code == 130
    report = json.loads(capsys.readouterr().out)
    assert report["samples_averaged"] == 0
    assert sorted(report["paths"]) == ["arrays", "raw"]


def test_ctrl_c_stops_a_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    report = run(capsys, *"render --steps 5 --out".split(), str(tmp_path))

    class AtOnce(interrupt.Wish):
        def __init__(self) -> None:
            self.stop = True

    monkeypatch.setattr(interrupt, "Wish", AtOnce)
    assert main(["replay", report["paths"]["raw"]]) == 130


def test_a_chain_that_explodes_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    line = "render --mode exact --step-size 10 --l2 100 --steps 400 --out"
    assert main([*line.split(), str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "lower the L2 weight or the step size" in error
    assert list(tmp_path.iterdir()) == []


def test_without_qt_all_but_the_window_works_and_that_is_one_sentence(tmp_path: Path):
    lines = ["info", "info --network lenet --json", "render --steps 3 --json --out rendered", ""]
    done = subprocess.run(  # one process for all: torch takes seconds to load
        [sys.executable, "-c", BLOCKED, *lines],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    printed = [part.strip() for part in done.stdout.split("returned ")]
    assert [part[0] for part in printed[1:]] == ["0", "0", "0", "2"]
    assert printed[0] and all(len(part) > 2 for part in printed[1:3]) and printed[4] == "2"
    assert done.stderr.count("\n") == 1
    assert "needs Qt" in done.stderr


def test_first_layer_neurons_are_their_filters(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """At the default settings: the filter inside the field, the closed form's variance outside."""
    line = "render --neuron conv1:0-5 --chains 12 --arrays --out"
    report = run(capsys, *line.split(), str(tmp_path))
    network = open_network("lenet")
    filters = network.module.conv1.weight.detach().numpy().reshape(6, -1)
    top, left, bottom, right = network.receptive_field("conv1")
    with np.load(report["paths"]["arrays"]) as arrays:
        inside = arrays["average"][:, 0, top:bottom, left:right].reshape(12, -1)
        x = arrays["x"][:, 0].copy()
    for average, kernel in zip(inside, filters.repeat(2, axis=0), strict=True):
        cosine = average @ kernel / np.linalg.norm(average) / np.linalg.norm(kernel)
        assert cosine >= 0.99
    outside = np.ones((28, 28), dtype=bool)
    outside[top:bottom, left:right] = False
    settings = Settings()
    expected = settings.temperature / (2 * settings.l2) / (1 - settings.step_size * settings.l2 / 2)
    assert x[:, outside].var() == pytest.approx(expected, rel=0.05)


def test_neurons_that_give_no_gradient_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = tmp_path / "own.py"
    code.write_text(
        "from torch import nn\n"
        "def model():\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.ReLU())\n"
        "    nn.init.ones_(net[1].weight)\n"
        "    net[1].bias.data.copy_(net[1].bias.new_tensor([1.0, -12.0, -1e6]))\n"
        "    net.pixels = dict(channels=1, height=4, width=4, mean=[0], std=[1])\n"
        "    return net\n"
    )
    line = f"render --network {code}:model --neuron 2:0-2 --steps 60 --out {tmp_path / 'out'}"
    report = run(capsys, *line.split())
    assert report["dead"] == ["2:2"]
    assert any(note.startswith("2:2 gives no gradient") for note in report["notes"])
    assert "3 of 3 chains have not burned in by step 60" in report["notes"][0]
    assert "last half" in report["notes"][0]


def test_arrays_are_in_pixel_units_and_activations_are_those_before_each_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "own.py").write_text(
        "import torch\n"
        "def net():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 2))\n"
    )
    flags = "--input-size 1x6x6 --mean -40 --std 20 --minimum -80 --maximum 0 --clamp --arrays"
    line = f"render --network {tmp_path}/own.py:net --neuron 1:1 {flags} --chains 2 --seed 1"
    found = {}
    for steps in (4, 5):
        out = str(tmp_path / str(steps))
        report = run(capsys, *line.split(), "--steps", str(steps), "--out", out)
        with np.load(report["paths"]["arrays"]) as arrays:
            found[steps] = dict(arrays)
    torch.manual_seed(0)
    linear = torch.nn.Linear(36, 2)
    x = torch.from_numpy(found[4]["x"])
    assert 0 <= x.min() and x.max() <= 1
    want = linear((x * 80 - 80 + 40).flatten(1) / 20)[:, 1].detach()
    assert found[5]["activation"][-1] == pytest.approx(want.numpy(), abs=1e-4)


def test_a_thinning_that_leaves_no_sample_is_one_sentence(tmp_path, capsys):
    assert main(["render", "--steps", "1", "--thin", "3", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "the first sample comes with step 3, and the run ends with step 1" in said
