"""The examples of the guide's page on scripting run, with fewer steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "resources"
EXAMPLES = sorted((ROOT / "scripting").glob("*.py"))
PAGE = (ROOT / "guide" / "scripting.md").read_text(encoding="utf-8")


FEWER = {"steps=200": "steps=12", "steps=50": "steps=5", "steps >= 400": "steps >= 20"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = path.read_text(encoding="utf-8")
    for many, few in FEWER.items():
        code = code.replace(many, few)
    exec(compile(code, path.name, "exec"), {})
    assert "True\n" in capsys.readouterr().out  # replayed to the same pixels
    assert list(tmp_path.glob("*.png"))


def test_the_page_prints_parts_of_the_examples():
    cells = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 4
    for block in blocks:
        assert block in cells, block
