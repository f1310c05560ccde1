"""Lets the wheel scroll the panel around a field, so that scrolling never changes a setting."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.qt import present


class _Passer(QObject):
    """Passes the wheel on to what is around a field."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ignore turns of the wheel, so that Qt offers them to the field's parent."""
        event = present(event)
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def leave_wheel(field: QWidget) -> None:
    """Leave the wheel over a list or number field to the panel around it.

    This also holds for a field with the focus: one that was used last would otherwise change when
    the panel is scrolled past it. Buttons and arrow keys change it.
    """
    # By default, Qt gives such a field the focus as soon as the wheel turns over it.
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    field.installEventFilter(_Passer(field))
