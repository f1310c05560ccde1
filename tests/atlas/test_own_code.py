"""Atlases of networks that are the user's own code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atlas_folders import ALIKE, picture, png_of, row, write_neuron
from ldam_studio.atlas import worker
from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.folder import AtlasFolder
from ldam_studio.atlas.making import jobs_of, look
from ldam_studio.atlas.orders import NetworkOrder
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import neurons_in
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\nfrom torch import nn\n"
        "def net():\n"
        "    torch.manual_seed(0)\n"
        "    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))\n"
        "    net.pixels = dict(channels=1, height=8, width=8, mean=(0.5,), std=(0.5,))\n"
        "    return net.eval()\n"
    )
    return path


def test_own_code_is_sent_only_when_asked(own):
    opened = worker.opened.__wrapped__
    network = open_network(f"{own}:net")
    plain, shipped = (NetworkOrder.of(network, ship_code=ship) for ship in (False, True))
    assert plain.code is not None and plain.code.data is None
    moved = own.rename(own.with_name("moved.py"))
    with pytest.raises(StudioError, match=r"no file .*mine.py; .*--ship-code"):
        opened(plain)
    there = opened(shipped)
    assert there.name == network.name
    assert there.provenance.sha256 == network.provenance.sha256
    own.write_text(Path(moved).read_text() + "# changed\n")
    with pytest.raises(StudioError, match=r"differs.*--ship-code"):
        opened(plain)


@pytest.mark.usefixtures("as_worker")
def test_own_code_may_lie_in_another_folder(own, tmp_path, order, monkeypatch):
    def jobs_at(path: Path) -> list[Job]:
        network = open_network(f"{path}:net")
        named = replace(order, network=NetworkOrder.of(network))
        return list(jobs_of(network, named, neurons_in(network, "2", (0, 1))))

    (tmp_path / "there").mkdir()
    elsewhere = tmp_path / "there" / "moved.py"
    elsewhere.write_bytes(own.read_bytes())
    first, moved = jobs_at(own), jobs_at(elsewhere)
    assert [job.key for job in first] == [job.key for job in moved]
    assert [job.former for job in first] != [job.former for job in moved]
    elsewhere.write_text(own.read_text() + "# changed\n")
    assert jobs_at(elsewhere)[0].key != first[0].key

    folder = AtlasFolder(tmp_path / "atlas", ALIKE)
    former = replace(first[0], key=first[0].former)  # what an earlier version drew is found
    monkeypatch.setattr(worker, "unfitness", lambda _order: "")
    monkeypatch.setattr(worker, "opened", lambda _order: open_network(f"{own}:net"))
    folder.begin(["2"])
    worker.draw_batch([former], folder.folder, collect=False)
    assert look(folder, first).jobs == first[1:]


def test_a_folder_knows_own_code_by_its_content(tmp_path):
    def atlas(name: str, code: str | None) -> AtlasFolder:
        own = {} if code is None else {"own code": code}
        return AtlasFolder(tmp_path, {**ALIKE, "network": name, **own})

    atlas("mine.py:net", None).begin(["2"])  # an earlier version
    write_neuron(tmp_path, row(Neuron("2", 0)), png_of(picture(0, 16)), None)
    with pytest.raises(StudioError, match="differs in network"):
        atlas("there/mine.py:net", "1:net")
    atlas("mine.py:net", "1:net").begin(["2"])
    atlas("there/mine.py:net", "1:net").begin(["2"])
    with pytest.raises(StudioError, match="differs in own code"):
        atlas("there/mine.py:net", "2:net")


def test_shipping_code_needs_code(network):
    with pytest.raises(StudioError, match="--ship-code sends a file of your own code"):
        NetworkOrder.of(network, ship_code=True)
