"""Two networks side by side, from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights

FEW = ["render", "--neuron", "fc3:0-1", "--steps", "6", "--json"]


def render(capsys, out, *flags):
    assert main([*FEW, "--out", str(out), *flags]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert main([*arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    return said[0]


def test_both_networks_are_in_one_picture_which_is_replayed(tmp_path, capsys):
    found = render(
        capsys, tmp_path, "--compare", "lenet-averaged", "--compare-set", "l2=0.3", "--arrays"
    )
    assert (found["network"], found["second"]["network"]) == ("lenet", "lenet-averaged")
    assert found["second"]["neurons"] == found["neurons"] == ["fc3:0", "fc3:1"]
    assert [note[:2] for note in found["notes"]] == ["A:", "B:"]
    with Image.open(found["paths"]["average"]) as picture:
        assert picture.size == (2 * 28 + 1, 3 * 28 + 2 * 3)  # both, and their difference
    with np.load(found["paths"]["arrays"]) as arrays:
        assert arrays["second_x"].shape == arrays["x"].shape
        assert not np.array_equal(arrays["second_x"], arrays["x"])
    assert main(["replay", found["paths"]["average"]]) == 0


def test_weights_of_the_same_network_beside_it(tmp_path, capsys):
    weights = tmp_path / "later.safetensors"
    write_weights(weights, open_network("lenet-averaged").module.state_dict(), {})
    by_name = render(capsys, tmp_path / "a", "--compare", "lenet-averaged")
    by_file = render(capsys, tmp_path / "b", "--compare", str(weights))
    assert by_file["second"]["network"] == "lenet"
    assert by_file["second"]["activation"] == by_name["second"]["activation"]
    moved = weights.rename(tmp_path / "moved.safetensors")
    picture = by_file["paths"]["raw"]
    assert "missing" in refused(capsys, "replay", picture)
    assert main(["replay", picture, "--compare-weights", str(moved)]) == 0


def test_other_settings_of_the_same_network(tmp_path, capsys):
    found = render(
        capsys, tmp_path, "--compare-set", "temperature=0", "--compare-set=step-size=0.2"
    )
    assert found["second"]["network"] == "lenet"
    assert found["second"]["activation"] != found["activation"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--compare", "nothing"], "There is no network 'nothing'"),
        (["--compare", "nothing.pt"], "nothing.pt"),
        (["--compare", "a.pt", "--compare-weights", "b.pt"], "is a weights file itself"),
        (["--compare-weights", "b.pt"], "--compare-weights needs --compare"),
        (["--compare-set", "chains=3"], "takes NAME=VALUE with the name of a setting"),
        (["--compare-set", "l2"], "takes NAME=VALUE"),
        (["--compare-set", "l2=-1"], "L2"),
        (["--compare-set", "thin=50"], "thinning of 50"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path, capsys, flags, said):
    assert said in refused(capsys, *FEW, "--out", str(tmp_path), *flags)


def test_a_network_of_other_images_is_refused(tmp_path, capsys):
    code = tmp_path / "own.py"
    code.write_text(
        "import torch\nfrom torch import nn\n"
        "def small():\n    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))\n"
    )
    own = ["--network", f"{code}:small", "--input-size", "1x4x4", "--mean", "0", "--std", "1"]
    said = refused(capsys, "render", *own, "--compare", "lenet", "--out", str(tmp_path))
    assert "lenet takes images of 1 x 28 x 28" in said


def test_a_network_without_the_neuron_is_noted(tmp_path, capsys):
    code = tmp_path / "own.py"
    code.write_text(
        "import torch\nfrom torch import nn\nfrom types import SimpleNamespace\n"
        "def other():\n"
        "    torch.manual_seed(0)\n"
        "    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))\n"
        "    module.pixels = dict(channels=1, height=28, width=28, mean=[0.0], std=[1.0])\n"
        "    return module\n"
    )
    found = render(capsys, tmp_path, "--compare", f"{code}:other")
    assert "has no neuron fc3:0 and shows 1:0 to 1:1 instead" in found["notes"][-1]


def test_the_studio_names_what_is_compared_with_a_network(capsys):
    said = refused(capsys, "studio", "--compare", "lenet-averaged")
    assert said.endswith("--compare needs --network, which names the network.")
