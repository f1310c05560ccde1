"""CONTRIBUTING.md names files that exist, and its map has every room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ldam_studio"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = re.search(r"## The map\n.*?```text\n(.*?)```", TEXT, re.DOTALL)
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+(?:\.(?:py|md|toml)|/))`")
MADE = {"build/"}  # by commands, so not in a fresh checkout


def rooms() -> list[str]:
    """Return the paths on the map, relative to the package."""
    assert MAP is not None
    paths: list[str] = []
    above: list[str] = []  # the folders that a line lies in
    for line in MAP.group(1).splitlines():
        name, depth = line.split()[0], (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], name]
        paths.append("".join(above))
    return paths


def folders() -> set[str]:
    """Return the package's folders, two levels deep."""
    found = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("__init__.py")}
    return {f"{path.as_posix()}/" for path in found if 0 < len(path.parts) <= 2}


def test_everything_on_the_map_is_there():
    for path in rooms():
        assert (PACKAGE / path).exists(), path


def test_every_room_is_on_the_map():
    assert folders() <= set(rooms())
    files = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    assert files <= set(rooms())


@pytest.mark.parametrize("path", sorted(set(NAMED.findall(TEXT)) - MADE))
def test_every_path_that_is_named_exists(path):
    assert (PACKAGE / path).exists() or (ROOT / path).exists()


def test_every_link_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link
