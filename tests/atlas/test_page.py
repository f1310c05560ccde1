"""The page of an atlas: its data, sprite sheets, and what is written anew."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from atlas_folders import chunk, picture, png_of, row, write_atlas, write_index, write_neuron
from ldam_studio import files
from ldam_studio.atlas.folder import INDEX
from ldam_studio.atlas.page import writing
from ldam_studio.atlas.page.finding import FILES, PER_GROUP
from ldam_studio.atlas.page.sheets import sheet_of
from ldam_studio.atlas.page.sprites import common_zoom, sprites_of
from ldam_studio.atlas.page.writing import DATA, write_comparison, write_page
from ldam_studio.cli import main
from ldam_studio.engine.picture import enlarge
from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import Listener, Stopped

HOSTILE = '</script><img src=x onerror="alert(1)">\u202e\u2028'


def data_in(folder: Path) -> dict:
    text = (folder / FILES / DATA).read_text(encoding="ascii")
    return json.loads(re.fullmatch(r"LDAM\.add\((.*)\);\n", text, re.DOTALL)[1])


def sheets_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / FILES).glob("*.webp")}


def test_a_page_has_every_neuron_with_its_picture_and_samples(tmp_path):
    rows = write_atlas(tmp_path, {"conv1": 3, "fc": 70})
    written = write_page(tmp_path)
    assert (written.path, written.neurons) == (tmp_path / "index.html", 73)
    data = data_in(tmp_path)
    assert [(layer["name"], layer["count"]) for layer in data["layers"]] == [
        ("conv1", 3),
        ("fc", 70),
    ]
    conv1, fc = data["layers"]
    assert conv1["neuron"] == [0, 1, 2] and conv1["state"] == [0, 1, 2]
    assert conv1["activation"] == [each.activation for each in rows[:3]]
    assert conv1["samples"] == [4]
    assert fc["label"][4] == "label 4"
    sheet = data["sheets"][conv1["sheet"][0]]
    assert sheet["cells"] == [28, 28, 4]
    with Image.open(tmp_path / FILES / sheet["file"]) as image:
        cell = np.asarray(image.convert("RGB"))[:, 28:56]
    with Image.open(tmp_path / sheet["folder"] / conv1["file"][1]) as image:
        assert np.array_equal(cell, np.asarray(image)[::4, ::4])
    (strip,) = sheet["strips"]
    with Image.open(tmp_path / FILES / strip[0]) as image:
        assert image.size == (4 * 28, 3 * 28)
    # Every 64 neurons have a sheet.
    assert len(set(fc["sheet"])) == -(-70 // PER_GROUP)
    assert fc["slot"][PER_GROUP] == 0


def test_only_what_has_changed_is_written_anew(tmp_path):
    write_atlas(tmp_path, {"conv1": 70})
    write_page(tmp_path)
    before, page = sheets_in(tmp_path), (tmp_path / "index.html").stat().st_mtime_ns
    assert write_page(tmp_path).sheets == 0
    assert sheets_in(tmp_path) == before
    assert (tmp_path / "index.html").stat().st_mtime_ns == page
    write_neuron(tmp_path, row(Neuron("conv1", 70)), png_of(picture(1, 28, 4)), None)
    assert write_page(tmp_path).sheets == 1
    after = sheets_in(tmp_path)
    assert {name for name in before if "+0-" in name} <= after.keys()
    assert not {name for name in before if "+1-" in name} & after.keys()
    assert data_in(tmp_path)["layers"][0]["samples"][-2:] == [4, 0]
    # A sheet that is lost is made again, and so is everything if nothing is known of it.
    next((tmp_path / FILES).glob("*.webp")).unlink()
    assert write_page(tmp_path).sheets == 1
    for path in (tmp_path / FILES).glob("*.json"):
        path.write_bytes(b"[" * 9000)
    assert write_page(tmp_path).sheets == 2
    assert len(list((tmp_path / FILES).glob("*.json"))) == 2


def test_stopping_leaves_the_page_and_keeps_what_was_read(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "cores", lambda: 1)
    write_atlas(tmp_path, {"conv1": 70})
    write_page(tmp_path)
    before = (tmp_path / FILES / DATA).read_bytes()
    write_atlas(tmp_path, {f"conv{i}": 1 for i in range(2, 8)})
    listener = Listener(lambda stage: stage.done >= 2 and listener.stop())
    with listener.heard_on(), pytest.raises(Stopped):
        write_page(tmp_path)
    assert (tmp_path / FILES / DATA).read_bytes() == before
    assert 1 <= write_page(tmp_path).sheets <= 4
    assert data_in(tmp_path)["layers"][0]["name"] == "conv2"  # the order of the index


def test_a_writing_that_ended_anywhere_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "cores", lambda: 1)
    write_atlas(tmp_path, {f"conv{i}": 1 for i in range(12)})
    calls = itertools.count()

    def killed(*args):
        if next(calls) >= 3:
            raise MemoryError  # nothing is tidied up, as after a kill
        return sheet_of(*args)

    monkeypatch.setattr(writing, "sheet_of", killed)
    with pytest.raises(MemoryError):
        write_page(tmp_path)
    assert not (tmp_path / "index.html").exists()
    monkeypatch.undo()
    written = write_page(tmp_path)
    assert (written.neurons, written.sheets) == (12, 9)


def test_a_full_disk_is_said_and_leaves_the_page(tmp_path, monkeypatch, capsys):
    write_atlas(tmp_path, {"conv1": 3})
    write_page(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    write_atlas(tmp_path, {"conv1": 3, "conv2": 70})
    drawn = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    def full(source: Path, target: Path) -> None:
        if ".json" in target.name:  # the last of the files of a sheet
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.replace(source, target)

    monkeypatch.setattr(files, "_replace", full)
    assert main(["atlas-page", str(tmp_path)]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "cannot be written (No space left on device); choose another folder" in said
    after = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert all(after[path] == data for path, data in (before | drawn).items())
    assert not [path for path in after if path.name.startswith(".")]
    monkeypatch.undo()
    assert write_page(tmp_path).neurons == 73


def test_damaged_pictures_are_named_and_left_out(tmp_path, capsys):
    write_atlas(tmp_path, {"conv1": 6})
    paths = sorted((tmp_path / "conv1").glob("*.png"))
    paths[0].write_bytes(paths[0].read_bytes()[:-300])
    paths[1].write_bytes(b"no picture")
    paths[2].write_bytes(png_of(picture(0, 28)))
    assert main(["atlas-page", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["neurons"] == 3
    assert said.err.count("is damaged") == 2 and "no picture of an atlas" in said.err
    assert "Traceback" not in said.err


def test_pictures_that_would_take_all_memory_are_damaged(tmp_path):
    def enlarged(png: bytes) -> bytes:
        return png[:8] + chunk(b"IHDR", struct.pack(">II", 60_000, 60_000) + png[24:29]) + png[33:]

    write_index(tmp_path, ["conv1"])
    small = png_of(picture(0, 28))
    write_neuron(tmp_path, row(Neuron("conv1", 0)), enlarged(small), None)
    write_neuron(tmp_path, row(Neuron("conv1", 1)), small, enlarged(small))
    written = write_page(tmp_path)
    assert (written.neurons, len(written.damaged)) == (1, 1)
    assert "is damaged" in written.damaged[0]
    assert data_in(tmp_path)["layers"][0]["samples"] == [0]


def test_a_folder_without_an_atlas_is_refused(tmp_path, capsys):
    assert main(["atlas-page", str(tmp_path)]) == 2
    assert f"There is no file {tmp_path / INDEX}" in capsys.readouterr().err
    (tmp_path / INDEX).write_text("{}")
    assert main(["atlas-page", str(tmp_path)]) == 2
    assert "no index of an atlas" in capsys.readouterr().err
    write_atlas(tmp_path, {"conv1": 1})
    assert main(["atlas-page", str(tmp_path), "--beside", str(tmp_path)]) == 2
    assert "is the same atlas" in capsys.readouterr().err


def test_texts_of_strangers_stay_texts(tmp_path):
    write_index(tmp_path, [HOSTILE], network=HOSTILE, settings={HOSTILE: HOSTILE * 10})
    told = row(Neuron(HOSTILE, 0), label=HOSTILE)
    write_neuron(tmp_path, told, png_of(picture(0, 28)), None)
    write_page(tmp_path)
    data = data_in(tmp_path)
    assert data["name"] == HOSTILE and data["layers"][0]["name"] == HOSTILE
    assert "onerror" not in (tmp_path / "index.html").read_text()
    other = tmp_path / 'a "b" <i>'
    write_atlas(other, {"conv1": 1})
    write_page(other)
    assert "<i>" not in write_comparison(tmp_path, other).read_text()


def test_names_that_no_atlas_has_are_left_out(tmp_path):
    write_atlas(tmp_path, {"conv1": 1})
    (path,) = (tmp_path / "conv1").glob("*.png")
    for name in ("\udcff", "<b>"):  # the first is no UTF-8, which nothing else could write
        try:
            path.with_name(name + path.name).write_bytes(path.read_bytes())
            (tmp_path / name).mkdir()
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
        except OSError:
            pass  # not on this file system
    assert write_page(tmp_path).neurons == 1


def test_links_in_a_circle_are_left_out(tmp_path):
    write_atlas(tmp_path, {"conv1": 1})
    (path,) = (tmp_path / "conv1").glob("*.png")
    circle = path.with_name(path.name.replace("conv1-0", "conv1-1"))
    try:
        circle.symlink_to(circle.name)
        (tmp_path / "conv2").symlink_to("conv2")
    except OSError:
        pytest.skip("links are not allowed here")
    assert write_page(tmp_path).neurons == 1


def test_a_link_leads_to_no_other_folder(tmp_path):
    write_atlas(tmp_path / "atlas", {"conv1": 1})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / DATA).write_text("mine")
    try:
        (tmp_path / "atlas" / FILES).symlink_to(mine)
    except OSError:
        pytest.skip("links are not allowed here")
    with pytest.raises(StudioError, match=r"index\+files is a link to another folder; remove it"):
        write_page(tmp_path / "atlas")
    assert [p.name for p in mine.iterdir()] == [DATA] and (mine / DATA).read_text() == "mine"


def test_what_is_remembered_is_checked(tmp_path):
    write_atlas(tmp_path, {"conv1": 1})
    write_page(tmp_path)
    (path,) = (tmp_path / FILES).glob("conv1+0-*.json")
    made = msgspec.json.decode(path.read_bytes())
    made["folder"] = "../elsewhere"
    path.write_bytes(msgspec.json.encode(made))
    assert write_page(tmp_path).sheets == 1
    assert data_in(tmp_path)["sheets"][0]["folder"] == "conv1"


def test_two_atlases_are_found_by_their_places(tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "#2 ü"
    for folder in (one, other):
        write_atlas(folder, {"conv1": 2})
    (other / "conv1" / f"conv1-1-{24 * '0'}.png").write_bytes(b"no picture")
    assert main(["atlas-page", str(one), "--beside", str(other)]) == 0
    assert f"page: {one / 'compare.html'} (2 and 2 neurons)\n" in capsys.readouterr().out
    assert main(["atlas-page", str(one), "--beside", str(other), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["damaged"] == [] and "is damaged" in said["beside"]["damaged"][0]
    text = (one / "compare.html").read_text()
    assert 'data-atlases="2"' in text
    assert 'src="../%232%20%C3%BC/index+files/data.js"' in text
    assert (other / "index.html").exists()
    # Its own page leads there as long as it is.
    link = 'id="comparison" href'
    assert link in (one / "index.html").read_text() and link not in text
    assert link not in (other / "index.html").read_text()
    write_page(one)
    assert link in (one / "index.html").read_text()
    (one / "compare.html").unlink()
    write_page(one)
    assert link not in (one / "index.html").read_text()


def test_folders_on_different_drives_are_named(tmp_path, monkeypatch, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        write_atlas(folder, {"conv1": 1})
    monkeypatch.setattr("ldam_studio.commands.atlas_page.on_different_drives", lambda *_: True)
    assert main(["atlas-page", str(one), "--beside", str(other)]) == 0
    assert "are on different drives" in capsys.readouterr().err

    def none(*_paths):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(writing.os.path, "relpath", none)
    with pytest.raises(StudioError, match="copy one of them"):
        write_comparison(one, other)


def test_sheets_keep_pixels_as_they_were_before_they_were_enlarged():
    small = [picture(seed, 5) for seed in (1, 2)]
    assert common_zoom([enlarge(each, 22) for each in small]) == 22
    assert (
        common_zoom([small[0].repeat(4, 0).repeat(4, 1), small[1].repeat(6, 0).repeat(6, 1)]) == 2
    )
    assert common_zoom(small) == 1
    made = sprites_of([small[0], small[1][:3]])
    assert (made.width, made.height, made.zoom, made.kind) == (5, 5, 1, "webp")  # with gaps
    assert sprites_of(small).kind == "jpg"
    assert sprites_of([enlarge(each, 22) for each in small]).kind == "webp"
