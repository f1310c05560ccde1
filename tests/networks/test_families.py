"""A further family of networks is one module and one row: it is found, listed, fetched, opened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ldam_studio.cli import main
from ldam_studio.errors import StudioError
from ldam_studio.networks.behaviour import randomness
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources import built_in, families, opening, own_code, torchvision
from ldam_studio.networks.sources.families import family_of, runs_code, short_name, to_download
from ldam_studio.networks.sources.family import Family, Published, Source
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.weights import read_saved

NAMES = ("small", "large")
PIXELS = PixelSpec(1, 8, 8, (0.5,), (0.25,), rest=0.5)


def build(classes: int | None) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes or 3))


def find(name: str) -> Source:
    if name not in NAMES:
        raise StudioError(f"toys has no network {name!r}; it has {', '.join(NAMES)}.")
    published = Published(f"https://nowhere/{name}.safetensors", f"toys-{name}.safetensors")
    return Source(build, PIXELS, tuple("abc"), 3, published)


TOYS = Family(
    title="toys",
    usage="toys:NAME",
    about="networks for a test",
    find=find,
    prefix="toys:",
    names=lambda: NAMES,
)


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    row = (built_in.FAMILY, torchvision.FAMILY, TOYS, own_code.FAMILY)
    monkeypatch.setattr(families, "FAMILIES", row)


def test_its_names_are_its_own():
    assert family_of("toys:small") is TOYS
    assert family_of("lenet").title == "built in" and runs_code("mine.py:model")
    assert not runs_code("toys:small") and short_name("toys:small") == "small"
    assert NetworkRequest("toys:small").absolute() == NetworkRequest("toys:small")
    with pytest.raises(StudioError, match=r"toys has no network 'tiny'; it has small, large"):
        open_network("toys:tiny")
    with pytest.raises(StudioError, match=r"There is no network 'toys'; there are .*toys:NAME"):
        open_network("toys")


def test_it_is_downloaded_and_opened_with_its_input_and_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    published = to_download("toys:large")
    assert published == Published("https://nowhere/large.safetensors", "toys-large.safetensors")

    def fetch(url, on_bytes, file):
        path = tmp_path / "checkpoints" / file
        path.parent.mkdir()
        save_file(build(None).state_dict(), path)
        return path

    monkeypatch.setattr(opening, "fetch", fetch)
    network = open_network("toys:large")
    assert network.pixels == PIXELS and network.labels == ("a", "b", "c")
    assert to_download("toys:large") is None
    assert network.weights is None and torch.isfinite(network.module[1].weight).all()


def test_a_running_session_draws_random_numbers_while_it_is_downloaded_and_read(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(randomness, "PATIENCE_S", 0)
    saved = tmp_path / "saved.safetensors"
    save_file(build(None).state_dict(), saved)
    drawn = []

    def draw():
        with randomness.seeded(9):
            drawn.append(float(torch.rand(())))

    def draw_elsewhere():
        with ThreadPoolExecutor(1) as others:
            others.submit(draw).result()

    def fetch(url, on_bytes, file):
        draw_elsewhere()
        return saved

    def read(path):
        draw_elsewhere()
        return read_saved(path)

    monkeypatch.setattr(opening, "fetch", fetch)
    monkeypatch.setattr(opening, "read_saved", read)
    open_network("toys:large")
    assert len(drawn) == 2


def test_help_and_info_name_it(capsys):
    assert main(["info"]) == 0
    assert "toys:NAME" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["render", "--help"])
    assert "toys:NAME" in capsys.readouterr().out


def test_the_dialog_lists_it_and_gives_its_names(qtbot):
    from ldam_studio.gui.network_dialog import source

    assert source.titles() == ("Built in", "torchvision and toys", "Your own code")
    models = source.list_models()
    assert models[0] == "alexnet" and models[-2:] == ("toys:small", "toys:large")
    widget = source.NetworkSource()
    qtbot.addWidget(widget)
    widget.library._show(("alexnet", "toys:small"))
    widget.set_name("toys:small")
    assert widget.kind == source.LIBRARY and widget.name == "toys:small" and widget.ready
    widget.set_name("torchvision:alexnet")
    assert widget.name == "torchvision:alexnet"
