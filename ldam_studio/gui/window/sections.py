"""Keeps groups of actions in a menu or toolbar in order, whenever they are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QToolBar

from ldam_studio.gui.qt import present


@dataclass
class _Section:
    rank: int
    lead: QAction  # its first item: the separator in front of it, or its first action


class Sections:
    """The sections of one menu or toolbar, with separators between them."""

    def __init__(self, bar: QMenu | QToolBar) -> None:
        self._bar = bar
        self._sections: list[_Section] = []

    def add(self, rank: int, actions: Sequence[QAction]) -> None:
        """Add a section after all sections of the same or a lower rank."""
        earlier = [section for section in self._sections if section.rank <= rank]
        later = self._sections[len(earlier) :]
        before = later[0].lead if later else None
        lead = present(self._bar.insertSeparator(before)) if earlier else actions[0]
        self._bar.insertActions(before, actions)
        if later and not earlier:
            later[0].lead = present(self._bar.insertSeparator(before))
        self._sections.insert(len(earlier), _Section(rank, lead))
