"""Keys of the window that work whatever has the focus, also a text field that knows them, too."""

from __future__ import annotations

from typing import cast

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QApplication, QWidget

from ldam_studio.gui.qt import present


class FirstKeys(QObject):
    """Keeps the widget with the focus from claiming certain keys, so that they reach the window.

    Parameters
    ----------
    window
        The window, in which widgets have the focus.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._keys: set[str] = set()
        app = cast("QApplication", present(QApplication.instance()))
        app.focusChanged.connect(self._on_focus)

    def add(self, key: str) -> None:
        """Add a key, for example "Ctrl+Home"."""
        self._keys.add(QKeySequence(key).toString())

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None:
            old.removeEventFilter(self)
        if new is not None and new.window() is self._window:
            new.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stop the event by which a widget would claim one of the keys."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if QKeySequence(event.keyCombination()).toString() in self._keys:
                event.ignore()
                return True
        return super().eventFilter(watched, event)
