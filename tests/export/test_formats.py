"""Every export format carries its recipe and is replayed; names decide which one it is."""

import pytest

from ldam_studio.cli import main
from ldam_studio.engine.advance import advance
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import FORMATS, Format, format_of, with_suffix
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.sources.opening import open_network

SUFFIXES = [suffix for row in FORMATS.values() for suffix in row.suffixes]


@pytest.fixture
def state():
    network = open_network("lenet")
    state, _ = advance(open_session(SessionSpec(network, network.default_neurons(2))))
    return state


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_is_written_and_replayed(state, tmp_path, suffix):
    path = export(state, Shown("strip"), tmp_path / f"a{suffix.upper()}").path
    found = compare(path)
    assert found is not None and found.identical


def test_a_further_format_is_one_row(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "twin", Format("Twins", (".twin",), png.encode, png.decode))
    assert with_suffix(tmp_path / "a.twin") == tmp_path / "a.twin"
    line = ["render", "--neuron", "fc3:0", "--steps", "2", "--format", "twin"]
    assert main([*line, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"average.twin", "raw.twin"}
    assert main(["replay", str(tmp_path / "average.twin")]) == 0


def test_a_name_without_a_format_gets_the_usual_one(tmp_path):
    assert with_suffix(tmp_path / "v1.2") == tmp_path / "v1.2.png"
    assert with_suffix(tmp_path / "a.PNG") == tmp_path / "a.PNG"


def test_a_name_of_no_format_is_refused_in_a_sentence(state, tmp_path):
    with pytest.raises(StudioError, match=r"a\.xyz has no suffix of .* use one of \.png"):
        format_of(tmp_path / "a.xyz")
    with pytest.raises(StudioError, match="has no suffix of a picture format"):
        export(state, Shown("raw"), tmp_path / "a.xyz")
    assert list(tmp_path.iterdir()) == []
