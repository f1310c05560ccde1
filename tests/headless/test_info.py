"""`ldam-studio info` lists what there is."""

import json

import pytest

from ldam_studio import __version__
from ldam_studio.cli import main


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
