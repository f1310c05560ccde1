"""A person's code that reads files relative to its project's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.weights import write_weights

NET = """
import pathlib
from torch import nn

PIXELS = dict(channels=1, height=8, width=8, mean=[0.5], std=[0.5])

def width(path):
    return int(pathlib.Path(path).read_text())

def net(path="configs/width.txt"):
    made = nn.Sequential(nn.Conv2d(1, width(path), 3), nn.ReLU())
    made.pixels = PIXELS
    return made

def in_other_words():
    try:
        return net()
    except OSError:
        raise ValueError("the configuration is not there")

def lost():
    return net("configs/lost.txt")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a package, and a current folder that is another one."""
    root = tmp_path / "lab"
    for folder in ("birds/nets", "configs"):
        (root / folder).mkdir(parents=True)
    (root / "birds" / "__init__.py").touch()
    (root / "birds" / "nets" / "__init__.py").touch()
    (root / "configs" / "width.txt").write_text("5")
    (root / "birds" / "nets" / "model.py").write_text(NET)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return root


@pytest.mark.parametrize("function", ["net", "in_other_words"])
def test_a_file_is_found_from_the_folder_that_holds_the_package(project, function):
    here = os.getcwd()
    network = open_network(f"../lab/birds/nets/model.py:{function}")
    assert network.layer("0").neurons == 5
    (note,) = [n for n in network.provenance.notes if "width.txt" in n]
    assert note == (
        f"Its code reads configs/width.txt, and was run in {project}, where that file is."
    )
    assert os.getcwd() == here


def test_a_file_that_is_read_at_the_import_is_found(project):
    code = project / "birds" / "nets" / "at_import.py"
    code.write_text(f"{NET}\nWIDTH = width('configs/width.txt')\n")
    assert open_network(f"{code}:net").layer("0").neurons == 5


def test_a_folder_without_packages_is_a_project_by_its_marks(project):
    code = project / "scripts" / "deep" / "net.py"
    code.parent.mkdir(parents=True)
    code.write_text(NET)
    with pytest.raises(StudioError, match=r"see line 8 of net\.py \(configs/width\.txt is neither"):
        open_network(f"{code}:net")
    (project / "pyproject.toml").touch()
    assert open_network(f"{code}:net").layer("0").neurons == 5


def test_the_current_folder_comes_first(project, tmp_path):
    (tmp_path / "elsewhere" / "configs").mkdir()
    (tmp_path / "elsewhere" / "configs" / "width.txt").write_text("7")
    network = open_network("../lab/birds/nets/model.py:net")
    assert network.layer("0").neurons == 7
    assert not any("width.txt" in note for note in network.provenance.notes)


def test_random_weights_are_those_of_a_run_in_the_projects_folder(project, monkeypatch):
    code = project / "birds" / "nets" / "random.py"
    code.write_text(
        NET.replace("nn.Conv2d(1, width(path), 3)", "first_layer(path)")
        + """
def first_layer(path):
    first = nn.Conv2d(1, 5, 3)
    width(path)
    return first
"""
    )
    away = open_network(f"{code}:net")
    monkeypatch.chdir(project)
    here = open_network(f"{code}:net")
    assert torch.equal(away.module[0].weight, here.module[0].weight)


def test_a_file_that_is_nowhere_is_named_with_the_folders(project):
    with pytest.raises(StudioError) as caught:
        open_network("../lab/birds/nets/model.py:lost", None, Options())
    assert f"(configs/lost.txt is neither in {os.getcwd()} nor in the folders of the project)" in (
        str(caught.value)
    )


def test_weights_are_known_by_their_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_weights(Path("w.safetensors"), open_network("lenet").module.state_dict(), {})
    network = open_network("lenet", Path("w.safetensors"))
    monkeypatch.chdir("/")
    assert network.weights == tmp_path / "w.safetensors"
