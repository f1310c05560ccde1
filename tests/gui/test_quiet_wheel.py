"""The wheel scrolls; it never changes a list or a number that happens to be under the pointer."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractSpinBox, QComboBox, QWidget

from gui.windows import controls, turn
from ldam_studio.gui.learner.panel import LearnerPanel
from ldam_studio.gui.watch.bar import WatchBar
from ldam_studio.gui.watch.panel import WatchPanel


def _fields(widget: QWidget) -> list[QWidget]:
    return [*widget.findChildren(QComboBox), *widget.findChildren(QAbstractSpinBox)]


def _text(field: QWidget) -> str:
    return field.currentText() if isinstance(field, QComboBox) else field.text()


def _assert_scrolls(fields: list[QWidget]) -> None:
    assert fields
    for field in fields:
        # Qt would give such a field the focus before it hears of the wheel.
        assert field.focusPolicy() != Qt.FocusPolicy.WheelFocus, field.accessibleName()
        before = _text(field)
        field.setFocus()
        for notches in (-1, 1, 1):
            assert not turn(field, notches), field.accessibleName()
        assert _text(field) == before


def test_the_wheel_changes_no_field_of_the_window(studio):
    assert dict(controls(studio).rows)  # also those in groups that are folded away
    fields = _fields(studio)
    assert len(fields) > 8
    _assert_scrolls(fields)


@pytest.mark.parametrize("kind", [LearnerPanel, WatchPanel, WatchBar])
def test_the_wheel_changes_no_field_of_a_panel(kind, qtbot):
    made = kind()
    qtbot.addWidget(made)
    made.show()
    _assert_scrolls(_fields(made))
