"""Session files: a whole session goes on bit for bit, and a stranger's file does no harm."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.kept_modes import KeptMode
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.serialise import to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.archive.reading import read_saved
from ldam_studio.export.archive.saving import save_archive
from ldam_studio.export.archive.writing import write_archive
from ldam_studio.export.exporting import export
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare
from ldam_studio.export.session_file import session_bytes
from ldam_studio.export.shown import Shown
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.progress import Listener, Stopped
from ldam_studio.sampler.settings import Settings

CPU = Device("cpu", "float32", 1)
WINDOW = b'{"title": "a"}'
PNG = b"\x89PNG\r\n\x1a\n and so on"
PIN = (2).to_bytes(8, "little") + b"{}"
FOUR = Neuron("fc3", 4)


def run(state: SessionState, steps: int, *changes: Change) -> SessionState:
    state, info = advance(state, changes, 0)
    assert not info.refused
    for _ in range(steps):
        state, _ = advance(state)
    return state


def opened(**given) -> SessionState:
    network = given.pop("network", None) or open_network("lenet")
    settings = Settings.of(**given.pop("settings", {}))
    return open_session(SessionSpec(network, (FOUR,) * 4, settings, device=CPU, **given))


def rich() -> SessionState:
    """Return a session that has everything a session can have."""
    ladder = {"mode": "exact", "kernel": "mala", "tempering": 2, "temperature": 0.05}
    state = opened(
        settings=ladder | {"discriminator_weight": 0.2, "burn_in": 2},
        discriminator=open_discriminator(),
        beside=(LaneSpec(open_network("lenet-averaged")),),
    )
    curve = Change("schedule_shape", "curves"), Change("temperature_curve", "0:1, 9:0.1")
    state = run(state, 2, Change("learn_every", 2), *curve)
    photograph = KeptPicture(torch.full((1, 28, 28), 0.2), "grey", "photograph")
    state = run(state, 2, Change("picture", photograph), Change("rest", 0))
    state = run(state, 2, Change("start_from", StartFrom(0, (1,), 0.1)), Change("hold", (2,)))
    return run(state, 1, Change("keep_mode", KeptMode((0, 2), "m")), Change("run_schedule"))


def same(one: SessionState, other: SessionState) -> bool:
    (a, about), (b, others) = to_tensors(one), to_tensors(other)
    bits = [{name: tensor.numpy().tobytes() for name, tensor in part.items()} for part in (a, b)]
    return about == others and bits[0] == bits[1]


def written(state: SessionState) -> str:
    return json.dumps([state.origin, [e.json() for e in state.log]], sort_keys=True)


@pytest.fixture(scope="module")
def session() -> SessionState:
    return rich()


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf" / "filmstrip"
    folder.mkdir(parents=True)
    (folder / "filmstrip.json").write_bytes(b'{"pins": ["0123456789a1"]}')
    (folder / "0123456789a1.png").write_bytes(PNG)
    (folder / "0123456789a1.safetensors").write_bytes(PIN)
    (folder / "0123456789a1.weights.safetensors").write_bytes(PIN)
    (folder / ".0123456789a1.png.0123456789ab").write_bytes(b"half")
    return folder


@pytest.fixture
def saved(tmp_path: Path, session: SessionState, strip: Path) -> Path:
    path = tmp_path / "find.ldam"
    write_archive(path, session, WINDOW, strip)
    return path


def test_everything_goes_on_bit_for_bit_with_its_log_and_filmstrip(tmp_path, session, saved, strip):
    found = read_saved(saved)
    assert found.window == WINDOW
    again = found.session(Nearby(tmp_path), CPU)
    assert again.learner is not None and len(again.lanes) == 2 and len(again.pictures) == 2
    assert same(again, session)
    assert written(again) == written(session)
    assert same(run(again, 5), run(snapshot(session), 5))
    place = tmp_path / "place"
    place.mkdir()
    found.unpack_filmstrip(place)
    unpacked = {file.name: file.read_bytes() for file in (place / "filmstrip").iterdir()}
    assert unpacked == {f.name: f.read_bytes() for f in strip.iterdir() if f.name[0] != "."}
    assert [file.name for file in place.iterdir()] == ["filmstrip"]


def test_a_picture_of_a_session_that_went_on_elsewhere_replays(tmp_path, monkeypatch):
    """Its log names weights beside the file, which moved with it."""
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    weights = here / "mine.pt"
    torch.save(open_network("lenet-averaged").module.state_dict(), weights)
    state = run(opened(network=open_network("lenet", weights)), 2)
    state = run(state, 2, Change("network", open_network("lenet")))
    state = run(state, 2, Change("network", open_network("lenet", weights)))
    save_archive(state, here / "a.ldam", WINDOW)
    text = zipfile.ZipFile(here / "a.ldam").read("session.safetensors")
    assert str(tmp_path).encode() not in text  # whose file it is, is nobody else's business
    here.rename(there)
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "somebody else's"))
    again = run(read_saved(there / "a.ldam").session(Nearby(there), CPU), 2)
    assert again.lane.network.weights == there / "mine.pt"
    found = compare(export(again, Shown("strip"), there / "a.png").path)
    assert found is not None and found.identical


def test_files_of_earlier_versions_are_read(tmp_path, session):
    path = tmp_path / "a.ldam-session.safetensors"
    path.write_bytes(session_bytes(session, history=False, folder=tmp_path))
    found = read_saved(path)
    assert found.window == b"" and not found.pinned
    again = found.session(Nearby(tmp_path), CPU)
    assert same(again, session)
    assert again.origin["sidecar"]["file"] == path.name
    former = Path(__file__).parents[1] / "data" / "two-networks-0.1.0.ldam-session.safetensors"
    assert len(read_saved(former).session(Nearby(former.parent), CPU).lanes) == 2


def remade(path: Path, change: Callable[[dict[str, bytes]], object], *, fits: bool = True) -> Path:
    """Change members of a session file; where it `fits`, their sizes and hashes are told anew."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if fits:
        said = json.loads(members["ldam.json"])
        said["members"] = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != "ldam.json"
        }
        members["ldam.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def about(found: dict[str, bytes], **values: object) -> None:
    found["ldam.json"] = json.dumps(json.loads(found["ldam.json"]) | values).encode()


def later_session(members: dict[str, bytes]) -> None:
    data = members["session.safetensors"]
    members["session.safetensors"] = data.replace(b'\\"version\\": 2', b'\\"version\\": 3')


HOSTILE: list[tuple[Callable[[dict[str, bytes]], object], str]] = [
    (lambda m: about(m, format=2, version="9.1"), r"saved by a later version of .* \(9\.1\)"),
    (lambda m: about(m, format=99, version=[]), "saved by a later version"),
    (later_session, "later version of LDAM Studio"),
    (lambda m: m.update({"../../evil.json": b"{}"}), r"has \.\./\.\./evil\.json in it, which no"),
    (lambda m: m.update({"/etc/cron.d/a": b"{}"}), "which no session file has"),
    (lambda m: m.update({"run.py": b"import os"}), r"has run\.py in it, which no session file has"),
    (lambda m: m.update({"filmstrip/../a.png": PNG}), "which no session file has"),
    (lambda m: m.update({"filmstrip/0123456789aa.png": b"<svg/>"}), "is damaged, or is none"),
    (
        lambda m: m.update({"filmstrip/0123456789aa.safetensors": b"\xff" * 99}),
        "is damaged, or is none",
    ),
    (lambda m: m.update({"filmstrip/filmstrip.json": b"[" * 10**6}), "is damaged, or is none"),
    (lambda m: m.update({"window.json": b'{"a": NaN}'}), "is damaged, or is none"),
    (lambda m: m.update({"window.json": b" " * 2**25}), "not of that size"),
    (lambda m: m.update({"filmstrip/CON.png": PNG}), "which no session file has"),
    (
        lambda m: m.update({"filmstrip/filmstrip.json": b'{"a":[' + b"[],"}),
        "is damaged, or is none",
    ),
    (lambda m: m.pop("window.json"), "is damaged, or is none"),
    (lambda m: m.pop("session.safetensors"), "is damaged, or is none"),
    (lambda m: m.update({"session.safetensors": PIN}), "is damaged, or is none"),
    (lambda m: m.update({f"filmstrip/{n}.png": PNG for n in range(5000)}), "holds more files than"),
]


@pytest.mark.parametrize(("change", "said"), HOSTILE)
def test_what_a_stranger_puts_into_a_file_is_one_sentence(saved, change, said):
    with pytest.raises(StudioError, match=said) as caught:
        read_saved(remade(saved, change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update({"window.json": b'{"title": "b"}'}), r"window\.json in .* was changed"),
        (
            lambda m: m.update({"filmstrip/0123456789a1.png": PNG + b"!"}),
            r"0123456789a1\.png in .* was changed",
        ),
        (lambda m: m.update({"filmstrip/0123456789b1.png": PNG}), "is damaged, or is none"),
        (lambda m: m.pop("filmstrip/0123456789a1.png"), "is damaged, or is none"),
        (lambda m: m.update({"ldam.json": b"[" * 10**6}), "is damaged, or is none"),
        (lambda m: m.pop("ldam.json"), "is damaged, or is none"),
    ],
)
def test_what_was_changed_after_saving_is_refused(saved, change, said):
    with pytest.raises(StudioError, match=said):
        read_saved(remade(saved, change, fits=False))


def test_bombs_twins_and_encrypted_members_are_refused(tmp_path, saved):
    bomb = tmp_path / "bomb.ldam"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.safetensors", bytes(100_000_000))
    with pytest.raises(StudioError, match="unpack to much more than its own size"):
        read_saved(bomb)
    twins = tmp_path / "twins.ldam"
    twins.write_bytes(saved.read_bytes())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twins, "a") as archive:
        archive.writestr("window.json", b"{}")
    with pytest.raises(StudioError, match="holds two files of one name"):
        read_saved(twins)
    data = saved.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    locked = tmp_path / "locked.ldam"
    locked.write_bytes(data[: at + 8] + b"\x01" + data[at + 9 :])
    with pytest.raises(StudioError, match="is encrypted"):
        read_saved(locked)
    odd = bytearray(data)
    odd[at + 10] = zipfile.ZIP_LZMA
    locked.write_bytes(odd)
    with pytest.raises(StudioError, match=r"ldam\.json in .* is damaged"):
        read_saved(locked)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"half a fi", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_session_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.ldam"
    path.write_bytes(content)
    with pytest.raises(StudioError, match="damaged"):
        read_saved(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_and_folders_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.ldam")
    (tmp_path / "b.ldam").mkdir()
    for name in ("a.ldam", "b.ldam", "c.ldam"):
        with pytest.raises(StudioError):
            read_saved(tmp_path / name)


def test_a_file_that_is_exchanged_between_the_looks_is_refused(tmp_path, session, saved):
    found = read_saved(saved)
    write_archive(saved, run(snapshot(session), 1), WINDOW)
    with pytest.raises(StudioError, match="was changed after it was saved"):
        found.session(Nearby(tmp_path), CPU)


def test_a_log_that_no_session_wrote_is_refused(saved, tmp_path):
    def with_log(members):
        data = members["session.safetensors"]
        at = data.index(b'[0, \\"learn_every')
        members["session.safetensors"] = data[:at] + data[at:].replace(b"learn", b"lEarn", 1)

    found = read_saved(remade(saved, with_log))
    with pytest.raises(StudioError, match="lEarn_every"):
        found.session(Nearby(tmp_path), CPU)


def test_a_full_disk_or_a_stop_leaves_the_former_file(tmp_path, session, saved, monkeypatch):
    before = saved.read_bytes()
    listed = sorted(tmp_path.iterdir())

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", lambda *_: Full())
        with pytest.raises(StudioError, match=r"cannot be written \(No space left on device"):
            write_archive(saved, session, WINDOW)
    stopping = Listener(lambda stage: stopping.stop())
    with pytest.raises(Stopped), stopping.heard_on():
        write_archive(saved, session, WINDOW)
    assert saved.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == listed


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, session):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StudioError, match="cannot be written"):
        write_archive(tmp_path / "file" / "a.ldam", session, WINDOW)
    (tmp_path / "a.ldam").mkdir()
    with pytest.raises(StudioError, match="is not a file, so it cannot be replaced"):
        write_archive(tmp_path / "a.ldam", session, WINDOW)


def test_weights_that_are_missing_or_a_strangers_choice_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)
    weights = tmp_path / "far" / "away" / "w.pt"
    torch.save(open_network("lenet-averaged").module.state_dict(), weights)
    path = tmp_path / "a" / "b" / "c" / "d" / "e" / "a.ldam"
    network = open_network("lenet", weights)
    write_archive(path, opened(network=network), WINDOW)
    with pytest.raises(StudioError, match="not in the folder of the session file"):
        read_saved(path).session(Nearby(path.parent, what="session file"), CPU)
    weights.unlink()
    begins = f"SHA-256 begins with {network.sha256[:12]}"
    with pytest.raises(
        StudioError, match=rf"w\.pt of lenet are missing.* under any name.*{begins}"
    ):
        read_saved(path).session(Nearby(path.parent, allow_files=True), CPU)
