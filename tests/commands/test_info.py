"""`ldam-studio info` lists what there is."""

import json

import pytest
from safetensors.torch import save_file

from ldam_studio import __version__
from ldam_studio.cli import main
from ldam_studio.networks.models.lenet import LeNet5


def test_networks(capsys: pytest.CaptureFixture[str]):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert __version__ in out and "lenet-averaged" in out


def test_layers(capsys: pytest.CaptureFixture[str]):
    assert main(["info", "--network", "lenet"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["layer", "type", "shape", "neurons", "sees"] in rows
    assert ["conv1", "Conv2d", "6", "x", "28", "x", "28", "6", "5", "x", "5"] in rows


def test_layers_as_json(capsys: pytest.CaptureFixture[str]):
    assert main(["info", "--network", "lenet", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    conv1 = about["layers"][0]
    assert (conv1["name"], conv1["type"], conv1["neurons"]) == ("conv1", "Conv2d", 6)
    assert conv1["shape"] == [6, 28, 28]
    assert conv1["receptive_field"] == [12, 12, 17, 17]
    assert about["layers"][-1]["receptive_field"] is None
    assert about["layers"][-1]["neurons"] == 10
    assert about["pixels"]["shape"] == [1, 28, 28]
    assert len(about["sha256"]) == 64


def test_missing_weights_are_told_of_wherever_a_network_is_opened(capsys, tmp_path):
    state = LeNet5().state_dict()
    del state["fc1.bias"]
    path = tmp_path / "part.safetensors"
    save_file(state, path)
    flags = ["--network", "lenet", "--weights", str(path), "--partial"]
    note = (
        "1 weight is not in part.safetensors, or not in this shape, and keeps its initial "
        "value: fc1.bias."
    )
    assert main(["info", *flags]) == 0
    assert note in capsys.readouterr().out
    assert main(["info", *flags, "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["notes"], about["missing"]) == ([note], ["fc1.bias"])
    assert main(["render", *flags, "--steps", "1", "--json", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["network"] == "lenet"
    assert note in printed.err


@pytest.mark.parametrize("maximum", ["1", "255"])
def test_the_numbers_of_imagenet_have_a_name(tmp_path, capsys, maximum):
    (tmp_path / "own.py").write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())"
    )
    flags = ["--input-size", "3x12x12", "--mean", "imagenet", "--std", "ImageNet"]
    line = ["info", "--network", f"{tmp_path}/own.py:net", *flags, "--maximum", maximum, "--json"]
    assert main(line) == 0
    pixels = json.loads(capsys.readouterr().out)["pixels"]
    # In units from black to white, whatever the range of the pixels is.
    assert pixels["mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert pixels["std"] == pytest.approx([0.229, 0.224, 0.225])


def test_what_a_neuron_with_tokens_means_is_said(tmp_path, capsys):
    code = tmp_path / "tokens.py"
    code.write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.cut, self.mlp = nn.Conv2d(3, 4, 4, 4), nn.Linear(4, 6)\n"
        "    def forward(self, x):\n"
        "        return self.mlp(self.cut(x).flatten(2).transpose(1, 2)).mean(1)\n"
    )
    flags = ["--input-size", "3x8x8", "--mean", "0,0,0", "--std", "1,1,1"]
    assert main(["info", "--network", f"{code}:Net", *flags]) == 0
    said = capsys.readouterr().out
    assert "is the mean over all of them (mlp:0: over 4), unless" in said
    assert "mlp:0@0 is that of the first token" in said
