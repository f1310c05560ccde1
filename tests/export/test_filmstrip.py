"""A filmstrip: each pin continues bit for bit, and one that is damaged harms no other."""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from export import test_replay
from export.test_replay import opened
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.filmstrip import folder, pins
from ldam_studio.export.filmstrip.folder import Filmstrip
from ldam_studio.export.filmstrip.moments import look_at, moment_in
from ldam_studio.export.filmstrip.pins import INDEX, Pin
from ldam_studio.export.replay import compare
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.sources.opening import open_network
from thinned import one_in

ONE, TWO, THREE = (Pin(f"{n:012x}", 30, "4 · fc3:4", front=1) for n in (1, 2, 3))


def run(state: SessionState, steps: int, *changes: Change) -> SessionState:
    """Return what the session becomes, and leave the session as it is."""
    return test_replay.run(snapshot(state), steps, *changes)


def logged(state: SessionState) -> str:
    return json.dumps([entry.json() for entry in state.log], sort_keys=True)


def pinned(film: Filmstrip, state: SessionState, *every: Pin) -> None:
    look = look_at(state, 1, "signed", None)
    film.add(every[-1], look.state, look.picture, look.shown, every)


@pytest.fixture(scope="module")
def session() -> SessionState:
    return run(opened(), 30)


@pytest.fixture
def film(tmp_path: Path, session: SessionState) -> Filmstrip:
    """Give a filmstrip with three pins of one moment."""
    made = Filmstrip(tmp_path / "session")
    for number in (1, 2, 3):
        pinned(made, session, *(ONE, TWO, THREE)[:number])
    return made


def lives(session: SessionState) -> dict:
    """Sessions of every kind that has a state of its own, as changes after a few steps."""
    twin = LaneSpec(session.lane.network, settings=replace(session.lane.settings, step_size=0.5))
    return {
        "compared": [Change("compare", twin)],
        "hot": [Change("heat_some", Heated((1, 2), 30.0))],
        "held": [Change("hold", (0, 3))],
        "tempered": [Change("tempering", 2)],
        "learning": [Change("learn_every", 2)],
    }


@pytest.mark.parametrize("kind", one_in(3, ["compared", "hot", "held", "tempered", "learning"]))
def test_a_moment_continues_to_the_same_samples(tmp_path, session, kind):
    start = opened(mode="exact") if kind == "tempered" else session
    if kind == "learning":
        start = run(opened(), 1)
        start.discriminator = open_discriminator()
    state = run(start, 6, *lives(start)[kind])
    film = Filmstrip(tmp_path)
    pinned(film, state, ONE)
    was = run(state, 7)
    # It is asked for by another moment of the session, which goes on undisturbed.
    other = run(was, 3, Change("temperature", 0.4))
    found = moment_in(other, film.session_file(ONE), state.device)
    assert found.step == 6 + start.step
    assert logged(found) == logged(state)
    again = run(found, 7)
    for one, two in zip(was.lanes, again.lanes, strict=True):
        assert one.network is two.network
        assert torch.equal(one.chains.x, two.chains.x)
        assert torch.equal(one.average.mean, two.average.mean)
    if kind == "learning":
        assert again.learner.rounds == was.learner.rounds > 0
    replayed = compare(film.picture_file(ONE))
    assert replayed is not None and replayed.identical


def test_a_moment_of_another_network_opens_that(tmp_path, session):
    state = run(opened(), 3)
    film = Filmstrip(tmp_path)
    pinned(film, state, ONE)
    other = run(state, 2, Change("network", open_network("lenet-averaged")))
    found = moment_in(other, film.session_file(ONE), state.device)
    assert found.lane.network.name == "lenet" and found.lane.network is not state.lane.network
    assert torch.equal(run(found, 4).lane.chains.x, run(state, 4).lane.chains.x)
    again = moment_in(other, film.session_file(ONE), state.device, [state.lane.network])
    assert again.lane.network is state.lane.network


def test_a_pin_names_no_home_and_opens_elsewhere_with_the_network_that_runs(tmp_path, monkeypatch):
    home, state_dir = tmp_path / "home" / "jane", tmp_path / "a" / "b" / "c" / "d" / "e"
    home.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "known"))
    weights = home / "mine.pt"
    torch.save(open_network("lenet-averaged").module.state_dict(), weights)
    state = run(opened(), 2, Change("network", open_network("lenet", weights)))
    film = Filmstrip(state_dir)
    pinned(film, state, ONE)
    for file in film.folder.iterdir():
        assert b"jane" not in file.read_bytes()
    assert moment_in(opened(), film.session_file(ONE), state.device).lane.network.weights == weights
    there = weights.rename(tmp_path / "theirs.pt")
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "somebody else's"))
    running = run(opened(), 1, Change("network", open_network("lenet", there)))
    found = moment_in(running, film.session_file(ONE), state.device)
    assert found.lane.network is running.lane.network
    assert torch.equal(run(found, 4).lane.chains.x, run(state, 4).lane.chains.x)


def test_order_notes_and_stars_are_read_again(film):
    film.write((THREE.with_note(" so\n it is "), ONE.with_star(True)))
    kept, said = film.read()
    assert [each.pin for each in kept] == [THREE.with_note("so it is"), ONE.with_star(True)]
    assert said == [] and kept[0].picture.shape == (28, 28, 3)


def test_a_deleted_pin_comes_back_until_the_filmstrip_is_read_again(film):
    film.delete(TWO, (ONE, THREE))
    assert not film.picture_file(TWO).exists()
    film.bring_back(TWO, (ONE, TWO, THREE))
    assert [each.pin for each in film.read()[0]] == [ONE, TWO, THREE]
    film.delete(TWO, (ONE, THREE))
    assert [each.pin for each in film.read()[0]] == [ONE, THREE]
    assert sum(1 for _ in film.folder.parent.rglob(f"{TWO.id}*")) == 0


def spoil_picture(film: Filmstrip) -> None:
    film.picture_file(TWO).write_bytes(b"\x89PNG no more")


def spoil_pixels(film: Filmstrip) -> None:
    Image.new("RGB", (28, 28)).save(film.picture_file(TWO))


def enlarge(film: Filmstrip) -> None:
    data = bytearray(film.picture_file(TWO).read_bytes())
    data[16:24] = struct.pack(">2I", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    film.picture_file(TWO).write_bytes(data)


def lose_session(film: Filmstrip) -> None:
    film.session_file(TWO).unlink()


def link_session(film: Filmstrip) -> None:
    film.session_file(TWO).unlink()
    film.session_file(TWO).symlink_to("/etc/passwd")


def make_pipe(film: Filmstrip) -> None:
    film.picture_file(TWO).unlink()
    os.mkfifo(film.picture_file(TWO))


@pytest.mark.parametrize(
    "spoil", [spoil_picture, spoil_pixels, enlarge, lose_session, link_session, make_pipe]
)
def test_a_damaged_pin_is_one_sentence_and_the_others_stay(film, spoil):
    spoil(film)
    kept, said = film.read()
    assert [each.pin for each in kept] == [ONE, THREE]
    (sentence,) = said
    assert sentence.startswith("A pin of the filmstrip, step 30, is left out: ")


BAD = (
    b"{",
    b'{"version": 2, "pins": []}',
    json.dumps({"version": 1, "pins": [{"id": "../../../etc", "step": 1}]}).encode(),
    json.dumps({"version": 1, "pins": [{"id": "0" * 12 + "\n", "step": 1}]}).encode(),
    json.dumps({"version": 1, "pins": [{"id": "0" * 12, "step": 1}] * 2}).encode(),
    json.dumps({"version": 1, "pins": [{"id": "0" * 12, "step": -1}]}).encode(),
    json.dumps({"version": 1, "pins": [{"id": "0" * 12, "step": 1, "note": "x" * 9999}]}).encode(),
    b'{"version": 1, "pins": [{"id": "000000000001", "step": 1, "when": NaN}]}',
    b"[" * 100_000,
    b"\xff\xfe",
)


@pytest.mark.parametrize("data", BAD)
def test_pins_are_found_again_without_their_list(film, data):
    (film.folder / INDEX).write_bytes(data)
    kept, said = film.read()
    assert [(each.pin.id, each.pin.step, each.pin.front) for each in kept] == [
        (pin.id, 30, 1) for pin in (ONE, TWO, THREE)
    ]
    (sentence,) = said
    assert "The list of the filmstrip " in sentence and sentence.endswith("their notes: 3.")
    assert (film.folder / "filmstrip.kept.json").read_bytes() == data


def test_pins_are_found_again_if_their_list_is_gone(film):
    (film.folder / INDEX).unlink()  # or was not written yet when the program was killed
    kept, said = film.read()
    assert len(kept) == 3
    assert said == [
        "The list of the filmstrip is missing; pins found again, but without their notes: 3."
    ]
    for file in film.folder.iterdir():
        file.unlink()
    assert film.read() == ([], [])


def test_a_filmstrip_that_is_a_link_is_none(film, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "filmstrip").symlink_to(film.folder)
    assert Filmstrip(tmp_path / "other").read() == ([], [])


def test_a_pin_that_cannot_be_written_leaves_nothing(film, session, monkeypatch):
    before = sorted(film.folder.iterdir())

    def full(path, data):
        raise StudioError(f"{path} cannot be written (No space left on device).")

    with monkeypatch.context() as patch:
        patch.setattr(folder, "write_state", full)
        with pytest.raises(StudioError, match="No space left"):
            pinned(film, session, ONE, TWO, THREE, Pin("a" * 12, 30))
    monkeypatch.setattr(folder, "MOST_BYTES", 1000)
    with pytest.raises(StudioError, match="The filmstrip is full"):
        pinned(film, session, ONE, TWO, THREE, Pin("a" * 12, 30))
    assert sorted(film.folder.iterdir()) == before
    assert [each.pin for each in film.read()[0]] == [ONE, TWO, THREE]


def test_pictures_are_copied_under_good_names_and_replay(film, tmp_path):
    noted = TWO.with_note("eine schöne 4 / vier: " + "x" * 200)
    (tmp_path / "out").mkdir()
    first, second = film.copy([(1, ONE), (2, noted)], tmp_path / "out")
    assert first.name == "001-4-fc3-4-step-30.png"
    assert second.name.startswith("002-4-fc3-4-step-30-eine-schöne-4-vier-xxx")
    assert len(os.fsencode(second.name)) < 255
    assert film.copy([(1, ONE)], tmp_path / "out")[0].name == "001-4-fc3-4-step-30-2.png"
    found = compare(second)
    assert found is not None and found.identical
    with Image.open(second) as large, Image.open(film.picture_file(TWO)) as small:
        assert large.size == (1008, 1008)  # else slides would show 28 pixels as a blur
        assert np.array_equal(np.asarray(large)[::36, ::36], np.asarray(small))


def test_a_long_log_is_in_the_pins_session(film, session, monkeypatch, tmp_path):
    monkeypatch.setattr("ldam_studio.export.exporting.LIMIT", 100)
    pinned(film, session, ONE, TWO, THREE, Pin("a" * 12, 30))
    (tmp_path / "out").mkdir()
    picture, beside = film.copy([(4, Pin("a" * 12, 30))], tmp_path / "out")
    assert beside.name == f"{'a' * 12}.safetensors"
    found = compare(picture)
    assert found is not None and found.identical and found.replayed == 0


def test_ids_and_settings_of_files_are_bounded():
    assert pins.is_id("0123456789ab")
    for text in ("0123456789ab\n", "0123456789AB", "", "../../../../x", "0" * 13):
        assert not pins.is_id(text)
