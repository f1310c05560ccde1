"""Small helpers around PyQt6."""

from __future__ import annotations

from typing import TypeVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)  # of the letters and of the number pad

Found = TypeVar("Found")


def present(value: Found | None) -> Found:
    """Return a value that PyQt6 declares as optional although Qt always provides it here.

    Qt passes a real event to every event handler, and every widget has a style; PyQt6's type
    stubs cannot say so.

    Raises
    ------
    RuntimeError
        If it is None after all.
    """
    if value is None:
        raise RuntimeError("Qt returned nothing where there is always an object")
    return value


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again after a property that its selectors name has changed."""
    style = present(widget.style())
    style.unpolish(widget)
    style.polish(widget)
