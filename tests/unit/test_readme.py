"""The README is a short front page, and what it names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ldam_studio.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_a_front_page():
    assert len(README.splitlines()) <= 150
    for words in ("make run", "make test", "arXiv:1812.04604", "GPL-3.0-or-later"):
        assert words in README


def test_every_picture_and_file_that_is_named_exists():
    named = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README)
    paths = {first or second for first, second in named}
    assert any(path.endswith(".png") for path in paths)
    assert any(path.endswith(".webp") for path in paths)
    for path in paths:
        assert (ROOT / path).exists(), path


def test_its_command_lines_can_be_typed():
    lines = re.findall(r"^ldam-studio ([^#\n]+)", README, re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        assert build_parser().parse_args(shlex.split(line)).run, line


def test_pictures_are_small():
    for path in (ROOT / "resources" / "readme").iterdir():
        bound = 300_000 if path.suffix == ".png" else 2_000_000
        assert path.stat().st_size < bound, path.name
