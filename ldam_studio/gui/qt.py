"""Small helpers around PyQt6."""

from __future__ import annotations

from typing import TypeVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)  # of the letters and of the number pad

Found = TypeVar("Found")


def present(value: Found | None) -> Found:
    """Return a value that is never None here, although PyQt6 declares it as optional.

    For example, Qt passes a real event to every event handler, and every widget has a style.

    Raises
    ------
    RuntimeError
        If the value is None after all.
    """
    if value is None:
        raise RuntimeError("Qt returned None where it always returns an object")
    return value


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again, after a change of a property that its selectors use."""
    style = present(widget.style())
    style.unpolish(widget)
    style.polish(widget)
