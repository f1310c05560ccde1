"""Files of labels that have another number or another format."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldam_studio.cli import main
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.labels import imagenet_labels, read_labels

DETECTOR = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.cls, self.obj = nn.Conv2d(6, 4, 1), nn.Conv2d(6, 1, 1)

    def forward(self, x):
        h = self.conv(x)
        kinds, sure = self.cls(h), self.obj(h)
        return [{"labels": k.flatten(1).argmax(1), "keep": torch.arange(3)} for k in kinds * sure]
"""


@pytest.fixture
def flags(tmp_path: Path):
    (tmp_path / "det.py").write_text(DETECTOR)
    given = ["info", "--network", f"{tmp_path}/det.py:Net", "--input-size", "3x8x8"]
    return [*given, "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]


def test_a_layer_with_as_many_neurons_as_labels_is_suggested(flags, tmp_path, capsys):
    labels = tmp_path / "names.txt"
    labels.write_text("car\nbus\nman\nsign\n")
    assert main([*flags, "--labels", str(labels)]) != 0
    said = capsys.readouterr().err
    assert "has 4 labels, but the network has 1 output in obj; " in said
    assert "take the layer of 4 for the classes: --class-layer cls." in said
    assert main([*flags, "--labels", str(labels), "--class-layer", "cls"]) == 0
    assert "was not used" not in capsys.readouterr().out


def test_without_labels_it_is_said_that_detections_are_no_classes(flags, capsys):
    assert main(flags) == 0
    said = capsys.readouterr().out
    assert "What it returns was not used as classes" in said
    assert "those of obj were" in said


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("data.yaml", "path: x\nnames:\n  0: car\n  1: bus\n", "YAML"),
        ("data.yml", "nc: 2\nnames: [car, bus]\n", "YAML"),
        ("data.txt", "nc: 2\nnames:\n- car\n- bus\n", "YAML"),
        ("labels.csv", 'index,mid,display_name\n0,/m/00,"Speech"\n', "CSV"),
        ("labels.txt", "index,mid,display_name\n0,/m/00,Speech\n", "CSV"),
        ("classes.json", '["car", "bus"]', "JSON"),
        ("classes.txt", '{"0": "car"}', "JSON"),
    ],
)
def test_other_formats_are_refused_with_their_name(tmp_path, name, text, kind):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(StudioError, match=f"{kind}.*one name per line"):
        read_labels(path)


def test_names_with_commas_and_colons_stay_names(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("tench, Tinca tinca\nname: unknown\nindex\n")
    assert read_labels(path) == ("tench, Tinca tinca", "name: unknown", "index")
    (tmp_path / "one.csv").write_text("car\nbus\n")
    assert read_labels(tmp_path / "one.csv") == ("car", "bus")
    assert len(imagenet_labels()) == 1000


def test_more_lines_than_a_network_has_classes_are_refused(tmp_path):
    (tmp_path / "names.txt").write_text("a\n" * 100_001)
    with pytest.raises(StudioError, match="are 100,001 lines, more than a network has classes"):
        read_labels(tmp_path / "names.txt")
