"""Files that once went wrong when they were fuzzed, and that `make fuzz` can begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.targets import TARGETS, tried

CORPUS = sorted((Path(__file__).parents[1] / "fuzz" / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_files_of_the_corpus(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    # The target of window files sets these, which other tests must not see.
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path))
    name = path.name.partition("-")[0]
    assert name in TARGETS
    tried(name, path.read_bytes())


def test_what_is_not_a_sentence_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(TARGETS, "recipe", lambda data: data.no_such_thing)
    with pytest.raises(AttributeError):
        tried("recipe", b"x")
