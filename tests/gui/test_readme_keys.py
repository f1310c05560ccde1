"""The README lists every key."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.gui.window.actions import ENTRIES

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_key_is_in_the_readme_with_what_it_does():
    for entry in ENTRIES:
        if entry.key:
            text = entry.tip[0].lower() + entry.tip[1:]
            assert f"| `{entry.key}` | {entry.text.rstrip('…')}: {text} |" in README
