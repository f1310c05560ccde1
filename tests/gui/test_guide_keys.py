"""The guide lists every key."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.commands.guide import keys
from ldam_studio.gui.window.entries import entries

PAGE = Path(__file__).resolve().parents[2] / "resources" / "guide" / "keys.md"


def test_every_key_is_in_the_guide_with_what_it_does():
    page = PAGE.read_text(encoding="utf-8")
    for entry in entries():
        if entry.key:
            row = f"| `{entry.key}` | {entry.text.rstrip('…')} | {entry.tip} |"
            assert row in page, "run: ldam-studio guide"
    assert keys() in page, "run: ldam-studio guide"


def test_what_the_window_can_do_is_what_is_listed(studio):
    assert sorted(studio.actions_by_name) == sorted(entry.name for entry in entries())
    for entry in entries():
        assert studio.actions_by_name[entry.name].shortcut().toString() == entry.key
