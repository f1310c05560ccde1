"""Sentences about opening a network name controls in the window, not flags."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ldam_studio.networks
from ldam_studio.gui.control_names import PARTIAL, PHRASES, in_window
from ldam_studio.gui.network_dialog.request_form import RequestForm

FOLDER = Path(ldam_studio.networks.__file__).parent
FLAG = re.compile(r"(?<!-)--[a-z]")


def sentences(path):
    """Return a file's texts; what is put into them is written as the separator of a set."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {part for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                getattr(part, "value", "") if isinstance(part, ast.Constant) else "::"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node not in docs and node not in inside:
                yield node.value


def test_no_sentence_about_networks_names_a_flag_in_the_window():
    flagged = {s for path in FOLDER.rglob("*.py") for s in sentences(path) if FLAG.search(s)}
    assert len(flagged) >= len(PHRASES)
    assert [s for s in flagged if FLAG.search(in_window(s))] == []
    for phrase in PHRASES:
        assert any(phrase in s for s in flagged), f"no sentence has {phrase!r} any more"


@pytest.mark.parametrize("label", ["Weights", "Set", "Classes", "Input"])
def test_the_controls_that_are_named_are_there(qtbot, label):
    form = RequestForm()
    qtbot.addWidget(form)
    rows = form._rows
    labels = [
        rows.labelForField(field)
        for field in (form.choice.row, form.choice.sets, form.classes, form.input)
    ]
    assert label in [each.text() for each in labels]
    assert form.choice.partial.text() == PARTIAL
    assert any(re.search(rf"\b{label}\b", words) for words in PHRASES.values())
