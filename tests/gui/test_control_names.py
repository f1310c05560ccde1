"""Sentences about networks name controls in the window and arguments in a script, not flags."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ldam_studio
from ldam_studio.gui.control_names import PARTIAL, PHRASES, in_window
from ldam_studio.gui.network_dialog.request_form import RequestForm
from ldam_studio.scripting import argument_names

PROGRAM = Path(ldam_studio.__file__).parent
OPENING = [*(PROGRAM / "networks").rglob("*.py")]
REPLAYING = [
    PROGRAM / name for name in ("engine/session.py", "export/locate.py", "export/photographs.py")
]
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


@pytest.mark.parametrize(
    ("files", "phrases", "said"),
    [
        (OPENING, PHRASES, in_window),
        (OPENING + REPLAYING, argument_names.PHRASES, argument_names.in_python),
    ],
    ids=["in the window", "in a script"],
)
def test_no_sentence_about_networks_names_a_flag(files, phrases, said):
    flagged = {s for path in files for s in sentences(path) if FLAG.search(s)}
    assert [
        s for s in flagged if FLAG.search(said(s).replace("ldam-studio replay with --", ""))
    ] == []
    for phrase in phrases:
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
