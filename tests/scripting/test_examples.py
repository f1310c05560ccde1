"""The examples of the guide's page on scripting run, with fewer steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "resources"
EXAMPLES = sorted((ROOT / "scripting").glob("*.py"))
PAGE = (ROOT / "guide" / "scripting.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

FEWER = {
    "steps=200": "steps=12",
    "steps=50": "steps=5",
    "steps >= 400": "steps >= 20",
    "steps=30": "steps=3",
}


CODE = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES}
CODE["the page"] = "\n".join(BLOCKS)  # as somebody types them who reads it


@pytest.mark.parametrize("name", CODE)
def test_examples_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = CODE[name]
    for many, few in FEWER.items():
        code = code.replace(many, few)
    exec(compile(code, name, "exec"), {})
    assert "True\n" in capsys.readouterr().out  # replayed to the same pixels
    assert list(tmp_path.glob("*.png"))


def test_the_page_prints_parts_of_the_examples():
    cells = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    assert len(BLOCKS) > 4
    for block in BLOCKS:
        assert block in cells, block
