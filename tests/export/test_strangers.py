"""A stranger's picture reads only what lies beside it, what this person knows, or what is named."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export import locate
from ldam_studio.export.exporting import export
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import is_inside, is_usual
from ldam_studio.export.recipe import Recipe, _hash
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    place = tmp_path / "person" / "w.pt"
    place.parent.mkdir()
    state = {n: v * 0.9 for n, v in open_network("lenet").module.state_dict().items()}
    torch.save(state, place)
    return place


@functools.cache
def lenet() -> Network:
    return open_network("lenet")


def made(folder: Path, weights: Path | None = None, **given) -> Path:
    """Export a picture after two steps."""
    folder.mkdir(exist_ok=True)
    network = open_network("lenet", weights) if weights else lenet()
    spec = SessionSpec(network, network.default_neurons(2), device=choose("cpu"), **given)
    state = open_session(spec)
    for _ in range(2):
        state, _ = advance(state)
    return export(state, Shown("raw"), folder / "a.png").path


def forged(path: Path, change, name: str = "forged.png") -> Path:
    """Return a copy of a picture whose recipe was changed, with a hash that fits."""
    recipe, picture = read(path)
    data = {key: value for key, value in recipe.data.items() if key != "sha256"}
    change(data)
    written = Recipe(data | {"sha256": _hash(data)})
    out = path.with_name(name)
    out.write_bytes(png.encode(picture, written))
    return out


def as_a_stranger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "another state"))


def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of all that is opened or looked for from now on."""
    seen: list[str] = []

    def note(call):
        def noted(path, *args, **keywords):
            seen.append(os.fspath(path) if isinstance(path, str | os.PathLike) else "")
            return call(path, *args, **keywords)

        return noted

    for name in ("open", "stat", "lstat", "scandir", "readlink"):
        monkeypatch.setattr(os, name, note(getattr(os, name)))
    return seen


def naming(place: str):
    def change(data):
        for described in (data["session"], data["end"]):
            described["lanes"][0]["network"]["weights"] = place

    return change


@pytest.mark.parametrize(
    "place",
    [
        "/etc/passwd",
        "/dev/zero",
        "/dev/random",
        "/proc/self/mem",
        "//host/share/x.pt",
        "\\\\host\\share\\x.pt",
        "\\\\?\\C:\\x.pt",
        "\\\\.\\pipe\\x",
        "../../x.pt",
        "a/../../x.pt",
        "NUL",
        "com1.pt",
        "x" * 300,
        "x" * 100_000,
        "a\nb",
        "~nobody-here/x.pt",
        "",
    ],
)
def test_weights_elsewhere_are_neither_looked_for_nor_read(tmp_path, monkeypatch, place):
    path = forged(made(tmp_path / "sent"), naming(place))
    (tmp_path / "x.pt").write_bytes(b"x")
    seen = opened_files(monkeypatch)
    with pytest.raises(StudioError, match=r"--weights FILE|is not valid"):
        compare(path)
    assert place not in seen
    outside = [p for p in seen if p.endswith(("x.pt", "passwd", "zero", "random", "mem"))]
    assert all(str(tmp_path / "sent") in p for p in outside), outside


def test_weights_that_this_person_used_are_found_where_they_are(tmp_path, monkeypatch, weights):
    path = made(tmp_path / "sent", weights)
    assert compare(path).identical
    as_a_stranger(monkeypatch, tmp_path)
    with pytest.raises(StudioError, match="not read just because a picture names it"):
        compare(path)
    assert compare(path, Nearby(path.parent, [weights])).identical
    assert compare(path, Nearby(path.parent, allow_files=True)).identical
    shutil.copy(weights, path.parent / "under another name.pt")
    assert compare(path).identical


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("target", ["/dev/zero", "outside", "pipe", "loop"])
def test_what_a_link_leads_to_counts(tmp_path, monkeypatch, weights, target):
    path = made(tmp_path / "sent", weights)
    as_a_stranger(monkeypatch, tmp_path)
    link = path.parent / "w.pt"
    if target == "pipe":
        os.mkfifo(link)
    else:
        link.symlink_to({"outside": weights, "loop": link}.get(target, Path(target)))
    with pytest.raises(StudioError, match="--weights FILE"):
        compare(forged(path, naming("w.pt")))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_session_file_that_is_a_link_out_of_the_folder_is_not_read(tmp_path):
    path = made(tmp_path / "sent")
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(b"{}")
    (path.parent / "a.safetensors").symlink_to(elsewhere)

    def change(data):
        data["session"] = {"sidecar": {"file": "a.safetensors", "sha256": "0" * 64}}

    with pytest.raises(StudioError, match=r"session file a\.safetensors is missing"):
        compare(forged(path, change))


def test_files_beside_a_picture_are_compared_only_up_to_a_size(tmp_path, monkeypatch, weights):
    path = made(tmp_path / "sent", weights)
    as_a_stranger(monkeypatch, tmp_path)
    shutil.copy(weights, path.parent / "z.pt")
    assert compare(path).identical
    with open(path.parent / "a.safetensors", "wb") as file:
        file.truncate(2**21)  # holes, which cost a stranger nothing
    hashed = []
    monkeypatch.setattr(locate, "sha256_of", lambda one: hashed.append(one.name) or "")
    monkeypatch.setattr(locate, "MOST_READ", 2**20)
    with pytest.raises(StudioError, match="--weights FILE"):
        compare(path)
    assert hashed == []


def test_of_many_files_beside_a_picture_only_weights_are_looked_at(tmp_path, monkeypatch, weights):
    path = made(tmp_path / "sent", weights)
    as_a_stranger(monkeypatch, tmp_path)
    others = [path.parent / f"{number}.txt" for number in range(20)]
    for other in others:
        other.touch()
    seen = opened_files(monkeypatch)
    with pytest.raises(StudioError, match="--weights FILE"):
        compare(path)
    assert not set(seen) & set(map(str, others))


def test_where_a_path_leads():
    here = Path("/a/b")
    assert is_inside(Path("/a/b/c/../d"), here)
    assert not is_inside(Path("/a/b/../d"), here)
    assert not is_inside(Path("/a/bc"), here)
    assert is_usual("../weights/é w.pt") and is_usual("C:/models/w.pt")


def test_a_picture_whose_discriminator_learned_reads_no_folder_unasked(
    tmp_path, monkeypatch, data_dir
):
    discriminator = open_discriminator()
    mine = {"discriminator": discriminator, "learn_every": 1, "data": data_dir}
    path = made(tmp_path / "sent", **mine)
    assert compare(path).identical
    as_a_stranger(monkeypatch, tmp_path)
    seen = opened_files(monkeypatch)
    with pytest.raises(StudioError, match=r"real images in .* name their folder: --data FOLDER"):
        compare(path)
    assert not [place for place in seen if place.startswith(str(data_dir))]
    assert compare(path, Nearby(path.parent, data=data_dir)).identical


def test_a_folder_of_data_that_nothing_learns_from_is_not_needed(tmp_path, monkeypatch):
    path = made(tmp_path / "sent", data=tmp_path)
    as_a_stranger(monkeypatch, tmp_path)
    assert compare(path).identical


def test_learning_that_the_log_begins_is_asked_for(tmp_path):
    def change(data):
        data["session"]["data"] = data["end"]["data"] = "/home"
        data["log"] = [[1, "learn_every", 1, None]]

    path = forged(made(tmp_path / "sent"), change)
    with pytest.raises(StudioError, match="--data FOLDER"):
        compare(path)


@pytest.mark.parametrize("where", ["session", "log"])
def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch, capsys, where):
    def change(data):
        reference = {"name": "torchvision:resnet18", "weights": None, "sha256": "0" * 64}
        if where == "log":
            data["log"] = [[1, "network", reference, None]]
            return
        for described in (data["session"], data["end"]):
            described["lanes"][0]["network"] = reference

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    asked = []
    monkeypatch.setattr(
        "ldam_studio.networks.sources.opening.fetch", lambda url, *_, **_k: asked.append(url)
    )
    path = forged(made(tmp_path / "sent"), change)
    assert main(["replay", str(path)]) == 2
    said = capsys.readouterr().err
    assert "nothing is downloaded just because a file names it" in said and "--download" in said
    assert not asked
    with pytest.raises((StudioError, AttributeError, TypeError)):
        compare(path, Nearby(path.parent, allow_download=True))
    assert asked


def test_labels_elsewhere_are_left_out(tmp_path, monkeypatch):
    labels = tmp_path / "names.txt"
    labels.write_text("\n".join("abcdefghij"))

    def change(data):
        for described in (data["session"], data["end"]):
            described["lanes"][0]["network"]["labels"] = str(labels)

    path = forged(made(tmp_path / "sent"), change)
    seen = opened_files(monkeypatch)
    assert compare(path).identical
    assert str(labels) not in seen


def test_an_output_that_cannot_be_written_is_found_before_the_replay(tmp_path, capsys):
    path = made(tmp_path / "sent")
    (tmp_path / "file").write_bytes(b"")
    for out in ("/dev/null", str(tmp_path), str(tmp_path / "file" / "b.png"), "q" * 300):
        assert main(["replay", str(path), "--out", out]) == 2
        said = capsys.readouterr()
        assert "identical" not in said.out and "replaying" not in said.err
    assert not Path("/dev/null").is_file()
    assert main(["replay", str(path), "--out", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").is_file()


def test_a_log_with_other_weights_is_a_reference_too(tmp_path, monkeypatch, weights):
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(2), device=choose("cpu")))
    state, _ = advance(state, [Change("network", open_network("lenet", weights))])
    state, _ = advance(state, [Change("network", open_network("lenet"))])
    (tmp_path / "sent").mkdir()
    path = export(state, Shown("raw"), tmp_path / "sent" / "a.png").path
    assert compare(path).identical
    as_a_stranger(monkeypatch, tmp_path)
    with pytest.raises(StudioError, match="--weights FILE"):
        compare(path)
    assert Nearby(path.parent).elsewhere(read(path)[0].data) == (
        read(path)[0].data["log"][0][2]["weights"],
    )
