"""What is kept between starts is this person's alone, whole, and never lost to another version."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from ldam_studio import files
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.plans import cache
from ldam_studio.errors import StudioError
from ldam_studio.export import known
from ldam_studio.gui.exporting.last_choice import Choice
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.picker.memory import NeuronMemory
from ldam_studio.gui.session.store import Looks, SessionStore
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.request import NetworkRequest, RecentNetworks
from ldam_studio.user_presets import UserPresets


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def write_all(folder: Path) -> None:
    SessionStore(folder).save_looks(Looks(b"", [1], [2], {}, "dark"))
    RecentNetworks(folder / "networks.json").add(NetworkRequest("lenet"))
    memory = NeuronMemory(folder / "neurons.json")
    memory.note(open_network("lenet"), Neuron("fc3", 1))
    memory.save()
    LastChoice(Choice(), folder / "export.json").write(Choice("raw"))
    UserPresets(folder).save("mine", {"l2": 0.1})
    known.remember({"end": {"data": "/a"}, "session": {}})


NAMES = ("window", "networks", "neurons", "export", "presets", "known-files")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_nobody_else_reads_it(folder):
    before = os.umask(0)
    try:
        write_all(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.stem for path in folder.iterdir()} == set(NAMES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_it_is_on_the_disk_before_it_has_its_name(folder, monkeypatch):
    order: list[str] = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("sync"), sync(number)))
    monkeypatch.setattr(os, "replace", lambda *a: (order.append("rename"), rename(*a)))
    files.write_state(folder / "a.json", b"{}")
    assert order[:2] == ["sync", "rename"]


@pytest.mark.parametrize(
    "content", [b'{"version": 99, "new": 1}', b"torn", b"[" * 100_000, b"\xff\xfe", b""]
)
def test_what_cannot_be_read_is_set_aside(folder, content):
    folder.mkdir()
    for name in (*NAMES, "plans"):
        (folder / f"{name}.json").write_bytes(content)
    store = SessionStore(folder)
    (said,) = store.recall(Device()).complaints
    assert "window.kept.json" in said
    assert RecentNetworks(folder / "networks.json").read() == ()
    NeuronMemory(folder / "neurons.json")
    LastChoice(Choice(), folder / "export.json").read()
    assert not known.is_known("0" * 64)
    assert cache._read() == []
    with pytest.raises(StudioError, match=r"presets\.json cannot be read"):
        UserPresets(folder).save("mine", {})
    (folder / "presets.json").unlink()
    write_all(folder)
    kept = {path.name for path in folder.glob("*.kept.json")}
    needed = {"window", "networks", "neurons", "known-files", "plans"}
    # A later version's choice of an export has nothing that this one must keep.
    needed |= set() if b"version" in content else {"export"}
    assert kept == {f"{name}.kept.json" for name in needed}
    assert {path.read_bytes() for path in folder.glob("*.kept.json")} == {content}
    assert json.loads((folder / "networks.json").read_bytes())["networks"]


def test_a_file_that_is_much_too_large_is_not_read(folder):
    folder.mkdir()
    for name in (*NAMES, "plans"):
        with open(folder / f"{name}.json", "wb") as file:
            file.truncate(2**25)
    assert SessionStore(folder).recall(Device()).complaints
    assert RecentNetworks(folder / "networks.json").read() == ()
    NeuronMemory(folder / "neurons.json")
    LastChoice(Choice(), folder / "export.json").read()
    assert not known.is_known("0" * 64)
    assert cache._read() == []
    with pytest.raises(StudioError, match="has 32 MB, but such a file has at most 16"):
        UserPresets(folder).read()


NOTE = {"title": "a", "rows": [], "front": 0, "mode": "image", "scale": None, "hint": ""}


@pytest.mark.parametrize(
    ("name", "saved", "changed"),
    [
        ("\u00b2", 1.0, {}),  # a digit of which Python makes no number
        ("1", 1e300, {}),
        ("1", -1e18, {}),
        ("1", 1.0, {"max_rate": 10**9}),
        ("1", 1.0, {"rows": ["a"] * 100_000}),
        ("1", 1.0, {"title": "a" * 1_000_000}),
        ("1", 1.0, {"front": -1}),
    ],
)
def test_a_note_that_nobody_wrote_is_passed_over(folder, name, saved, changed):
    kept = folder / "sessions" / "one"
    kept.mkdir(parents=True)
    (kept / f"{name}.ldam-session.safetensors").write_bytes(b"")
    note = NOTE | {"max_rate": 30} | changed
    written = json.dumps({"saved": saved, "closed": True, "note": note})
    (kept / f"{name}.json").write_text(written)
    assert SessionStore(folder).recall(Device()).opening.title == "Ten digits"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_what_a_link_in_the_shelf_leads_to_is_not_tidied_up(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.ldam-session.safetensors").write_bytes(b"")
    note = {"saved": 1, "closed": True, "note": NOTE | {"max_rate": 30}}
    (elsewhere / "1.json").write_text(json.dumps(note))
    shelf = SessionStore(folder).shelf
    shelf.folder.mkdir(parents=True)
    (shelf.folder / "one").symlink_to(elsewhere)
    assert shelf.sessions() == []


def test_numbers_that_qt_does_not_take(folder):
    folder.mkdir()
    looks = {"geometry": "", "across": [2**40], "middle": [-1], "panels": {}, "theme": "dark"}
    (folder / "window.json").write_text(json.dumps({"version": 1, "window": looks}))
    recalled = SessionStore(folder).recall(Device())
    assert recalled.looks is None and recalled.complaints
    assert SessionStore(folder).recall(Device()).complaints == ()
