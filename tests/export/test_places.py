"""Recipes name files relative to the picture, and never a person's home."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export import exporting
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import where, written
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.sources.opening import Options, open_network

HOME = Path("/home/ada")
FOLDER = HOME / "work" / "lenet" / "out"
WRITTEN = {
    FOLDER / "w.pt": "w.pt",
    FOLDER / "a" / "w.pt": "a/w.pt",
    HOME / "work" / "lenet" / "w.pt": "../w.pt",
    HOME / "work" / "other" / "w.pt": "../../other/w.pt",
    HOME / "models" / "w.pt": "~/models/w.pt",
    Path("/data/models/w.pt"): "/data/models/w.pt",
    Path("/home/bob/models/w.pt"): "w.pt",
    Path("/Users/bob/models/w.pt"): "w.pt",
    Path("/root/w.pt"): "w.pt",
}


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_how_places_are_written_and_found_again(monkeypatch, path):
    monkeypatch.setattr(Path, "home", staticmethod(lambda: HOME))
    monkeypatch.setenv("HOME", str(HOME))
    monkeypatch.setenv("USERPROFILE", str(HOME))
    text = written(str(path), FOLDER)
    assert text == WRITTEN[path]
    if "/" in text or path.parent == FOLDER:
        found = [Path(*_without_dots(place)) for place in where(text, FOLDER)]
        assert path in found


def _without_dots(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return parts


CODE = """
from torch import nn
from .blocks import conv

def model():
    module = nn.Sequential(conv(), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5))
    module.pixels = dict(channels=1, height=12, width=12, mean=[0.5], std=[0.25], rest=0.5)
    return module
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project in a home, with a package, two files of weights and a folder for pictures."""
    home = tmp_path / "adalbert"
    monkeypatch.setattr(Path, "home", staticmethod(lambda: home))
    monkeypatch.setenv("HOME", str(home))
    folder = home / "work" / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "pkg" / "__init__.py").touch()
    (folder / "pkg" / "blocks.py").write_text(
        "from torch import nn\n\ndef conv():\n    return nn.Conv2d(1, 4, 3)\n"
    )
    (folder / "pkg" / "net.py").write_text(CODE)
    (folder / "names.txt").write_text("a\nb\nc\nd\ne\n")
    network = open_network(f"{folder}/pkg/net.py:model")
    for number in (1, 2):
        state = {n: v * number for n, v in network.module.state_dict().items()}
        torch.save(state, folder / f"w{number}.pt")
    return folder


def picture(project: Path, limit: int | None = None) -> Path:
    """Export a picture of a session that changed its weights."""
    name = f"{project}/pkg/net.py:model"
    options = Options(labels=project / "names.txt")
    network = open_network(name, project / "w1.pt", options)
    neurons = network.default_neurons(2)
    state = open_session(SessionSpec(network, neurons, device=choose("cpu"), data=project / "out"))
    state, _ = advance(state)
    twin = open_network(name, project / "w2.pt", options)
    state, _ = advance(state, [Change("network", twin)])
    return export(state, Shown("averages"), project / "out" / "a.png").path


@pytest.mark.parametrize("limit", [None, 10], ids=["", "with a session file"])
def test_a_project_that_moves_is_replayed_where_it_is(project, tmp_path, monkeypatch, limit):
    if limit is not None:
        monkeypatch.setattr(exporting, "LIMIT", limit)
    path = picture(project)
    recipe, _ = read(path)
    texts = [recipe.text, *(f.read_bytes().decode("latin-1") for f in path.parent.iterdir())]
    for text in texts:
        assert str(tmp_path) not in text and "adalbert" not in text
    end = recipe.data["end"]["lanes"][0]["network"]
    assert (end["name"], end["weights"]) == ("../pkg/net.py:model", "../w2.pt")
    assert (end["labels"], recipe.data["end"]["data"]) == ("../names.txt", ".")
    if limit is None:
        assert recipe.data["log"][0][2]["weights"] == "../w2.pt"
    moved = tmp_path / "bob" / "copied"
    moved.parent.mkdir()
    project.rename(moved)
    path = moved / "out" / path.name
    with pytest.raises(StudioError, match=r"not run just .* --network .*bob/copied/out/\.\./pkg/n"):
        compare(path)
    found = compare(path, Nearby(path.parent, code=[f"{moved}/pkg/net.py:model"]))
    assert found is not None and found.identical
    found = compare(path, Nearby(path.parent, allow_code=True))
    assert found is not None and found.identical


def test_code_and_weights_beside_the_picture_are_found(project, tmp_path):
    path = picture(project)
    beside = tmp_path / "sent"
    shutil.copytree(project / "pkg", beside / "pkg")
    shutil.copy(path, beside / "a.png")
    shutil.copy(project / "w1.pt", beside / "first of all.pt")  # known by their content
    shutil.copy(project / "w2.pt", beside / "w2.pt")
    shutil.rmtree(project)
    nearby = Nearby(beside, code=[f"{beside}/pkg/net.py:model"])
    found = compare(beside / "a.png", nearby)
    assert found is not None and found.identical
    (beside / "w2.pt").unlink()
    nearby = Nearby(beside, code=[f"{beside}/pkg/net.py:model"])
    with pytest.raises(StudioError, match=r"The weights \.\./w2\.pt of .* are missing"):
        compare(beside / "a.png", nearby)


def test_weights_that_were_overwritten_in_their_place_are_taken_beside_the_picture(project):
    path = picture(project)
    shutil.copy(project / "w1.pt", path.parent / "w1.pt")
    torch.save(nn.Linear(3, 3).state_dict(), project / "w1.pt")
    found = compare(path, Nearby(path.parent, allow_code=True))
    assert found is not None and found.identical


def test_code_that_another_name_was_given_for_is_not_run(project, tmp_path):
    path = picture(project)
    marked = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{CODE}"
    (project / "pkg" / "net.py").write_text(marked)
    (tmp_path / "other.py").write_text(CODE.replace("from .blocks", "from pkg.blocks"))
    (tmp_path / "third.py").write_text(CODE)
    named = [f"{tmp_path}/other.py:model", f"{tmp_path}/third.py:model"]
    with pytest.raises(StudioError, match="not run just because a picture names it"):
        compare(path, Nearby(path.parent, code=named))
    assert not (tmp_path / "ran").exists()


def test_recipes_of_built_in_networks_are_as_they_were(tmp_path):
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(2), device=choose("cpu")))
    path = export(advance(state)[0], Shown("averages"), tmp_path / "a.png").path
    said = json.loads(read(path)[0].text)["end"]["lanes"][0]["network"]
    assert (said["name"], said["weights"]) == ("lenet", None)
