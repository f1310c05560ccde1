"""A group of menu entries, one of which is ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QWidget

T = TypeVar("T")


class Choice(Generic[T]):
    """One menu entry for each value that can be chosen; the entry of the current value is ticked.

    Parameters
    ----------
    parent
        Owns the actions.
    entries
        Pairs of an entry's text and its value.
    chosen
        Called with the value of the entry that the user picks.
    """

    def __init__(
        self,
        parent: QWidget,
        entries: Sequence[tuple[str, T]],
        chosen: Callable[[T], object],
    ) -> None:
        self._group = QActionGroup(parent)
        self.actions: list[QAction] = []
        self._values = [value for _text, value in entries]
        for text, value in entries:
            action = QAction(text, parent)
            action.setCheckable(True)
            action.triggered.connect(lambda _on, value=value: chosen(value))
            self._group.addAction(action)
            self.actions.append(action)

    def show(self, value: T) -> None:
        """Tick the entry of a value."""
        for action, own in zip(self.actions, self._values, strict=True):
            action.setChecked(own == value)

    def enable(self, on: bool) -> None:
        """Enable or disable all entries."""
        self._group.setEnabled(on)
