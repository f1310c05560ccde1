"""A link carries a recipe in one line, and replays to the pixels of the picture."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib

import numpy as np
import pytest

from ldam_studio.assets import asset
from ldam_studio.commands.shared.links import file_or_link
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export import links
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read
from ldam_studio.export.links import link_of, packed, unpacked
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import written
from ldam_studio.export.recipe import LIMIT
from ldam_studio.export.replay import compare_recipe
from ldam_studio.export.shown import Shown
from ldam_studio.gui.opening.pictures import read_link
from ldam_studio.networks.sources.opening import open_network

RAW = Shown("raw", 1)


@pytest.fixture(scope="module")
def state():
    """Give a session after 30 changes and 40 steps."""
    network = open_network("lenet")
    spec = SessionSpec(network, network.default_neurons(3), seed=5, device=Device("cpu", "float32"))
    made, _ = advance(open_session(spec))
    for step in range(39):
        change = [Change("l2", 0.01 * step), Change("temperature", 0.001 * (step + 1))]
        made, _ = advance(made, [change[step % 2]] if step < 30 else [])
    return made


@pytest.fixture(scope="module")
def link(state):
    return link_of(state, RAW)


def _as_link(data: bytes) -> str:
    work = zlib.compressobj(zdict=links._words("1"))
    return "ldam:1" + base64.urlsafe_b64encode(work.compress(data) + work.flush()).decode()


def test_it_replays_to_the_pixels_of_the_picture_of_the_same_moment(state, link, tmp_path):
    path = export(state, RAW, tmp_path / "a.png").path
    recipe, picture = read(path)
    assert unpacked(link).data == recipe.data
    found = compare_recipe(unpacked(link), Nearby(links.no_folder()))
    assert found.identical and found.correlation is None
    assert np.array_equal(found.picture, picture)


def test_it_is_short_and_one_word_of_plain_letters(link):
    assert len(link) < 1000
    assert re.fullmatch(r"ldam:1[A-Za-z0-9_-]+", link)


def test_whitespace_and_signs_around_it_do_not_matter(link):
    broken = "\r\n  ".join(link[at : at + 70] for at in range(0, len(link), 70))
    assert unpacked(f" <{broken}>\n").data == unpacked(link).data
    assert file_or_link(f"\n{link}") == f"\n{link}"
    assert str(file_or_link("file:///tmp/my%20seven.png")) == "/tmp/my seven.png"


def test_files_are_named_from_home_and_never_from_where_the_program_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert written("w.pt", None) == "~/w.pt"
    assert written("/data/w.pt", None) == "/data/w.pt"
    assert written("/home/somebody/w.pt", None) == "w.pt"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "https://example.org", "begins with ldam:"),
        (lambda text: "ldam:", "incomplete"),
        (lambda text: "ldam:2" + text[6:], "later version"),
        (lambda text: text[:-9], "incomplete"),
        (lambda text: text[:60] + "ä" + text[61:], "damaged"),
        (lambda text: text[:90] + ("B" if text[90] == "A" else "A") + text[91:], "damaged"),
        (lambda text: text + "AAAA", "incomplete|damaged"),
        (lambda text: text * 3000, "longer than any link"),
        (lambda text: _as_link(b" " * (LIMIT + 1)), "more than any recipe"),
        (lambda text: _as_link(b"[" * 200_000), "damaged"),
        (lambda text: _as_link(b'{"format":3,"step":NaN}'), "damaged"),
        (lambda text: _as_link(json.dumps({"format": 99}).encode()), "later version"),
        (lambda text: _as_link(b'{"format":3}'), "not valid"),
    ],
)
def test_what_is_no_whole_link_is_one_sentence(link, change, words):
    with pytest.raises(StudioError, match=words):
        unpacked(change(link))


def test_a_long_session_is_told_to_use_a_picture(state):
    log = state.log
    try:
        state.log = [*log, *(type(log[0])(40, "l2", 0.001234 * i**1.5) for i in range(2000))]
        with pytest.raises(StudioError, match=r"would have .* letters"):
            link_of(state, RAW)
    finally:
        state.log = log


def test_a_session_that_needs_a_file_has_no_link(state):
    origin = state.origin
    try:
        state.origin = {"sidecar": {"file": "a.safetensors", "sha256": "0"}}
        with pytest.raises(StudioError, match="session file, which no link"):
            link_of(state, RAW)
    finally:
        state.origin = origin


def test_a_link_that_names_code_asks_before_it_runs(state, tmp_path, monkeypatch):
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "net.py").write_text("raise SystemExit('ran')")
    recipe = unpacked(link_of(state, RAW))
    data = json.loads(recipe.text)
    for name in ("session", "end"):
        data[name]["lanes"][0]["network"]["name"] = f"{tmp_path}/net.py:Net"
    forged = packed(recipe.having(**{name: data[name] for name in ("session", "end")}))
    opening = read_link(forged).from_start()
    assert opening.code == (f"{tmp_path}/net.py:Net",)
    assert opening.trusted is not None
    with pytest.raises(StudioError, match="not run just because"):
        opening.make()


def test_what_the_compression_knows_never_changes_since_old_links_need_it():
    words = asset(*links.WORDS["1"]).read_bytes()
    assert hashlib.sha256(words).hexdigest() == (
        "d8af2f4318bde35debbe08164dbeebf837c31895edaa6b9790bd1456f543f582"
    )
