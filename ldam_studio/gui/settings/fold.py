"""Groups of settings that are folded away at first, and the rows in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget
from superqt import QCollapsible

from ldam_studio.gui.qt import present
from ldam_studio.gui.settings.setting_row import SettingRow
from ldam_studio.gui.theme import icons


class Fold(QCollapsible):
    """A group below a title; what is in it is made when it is first needed, to delay no start.

    Parameters
    ----------
    title
        What the button says that unfolds it.
    make
        Returns what is in it, from top to bottom.
    """

    def __init__(self, title: str, make: Callable[[], Iterable[QWidget]]) -> None:
        super().__init__(title, None, icons.icon("expanded"), icons.icon("collapsed"))
        self._make: Callable[[], Iterable[QWidget]] | None = make
        self.setDuration(120)
        self.toggleButton().setAccessibleName(title)
        rows = present(self.content().layout())
        rows.setContentsMargins(0, 8, 0, 8)
        rows.setSpacing(8)
        whole = present(self.layout())
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)

    def fill(self) -> None:
        """Make what is in it, if that was not done yet."""
        make, self._make = self._make, None
        if make is None:
            return
        for widget in make():
            self.addWidget(widget)
            widget.show()  # a layout does so only later, and till then takes it for nothing
        # Qt puts what is made late at the end of the whole window's order.
        window, inside = self.window(), self.content().findChildren(QWidget)
        stops = [each for each in inside if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
        own = [each for each in stops if each.window() is window]  # no list of a combo box
        for before, after in pairwise((self.toggleButton(), *own)):
            QWidget.setTabOrder(before, after)

    def expand(self, animate: bool = True) -> None:
        """Show what is in it."""
        self.fill()
        super().expand(animate)


class Rows(Mapping[str, SettingRow]):
    """The rows of a panel by the names of their settings; one that is missing is made if asked for.

    Parameters
    ----------
    names
        The settings that have a row.
    make
        Makes the row of a setting, maybe with others, and puts them into `made`.
    """

    def __init__(self, names: Iterable[str], make: Callable[[str], None]) -> None:
        self._names, self._make = tuple(names), make
        self.made: dict[str, SettingRow] = {}

    def __getitem__(self, name: str) -> SettingRow:
        """Return a row; `KeyError` if the setting has none."""
        if name not in self.made and name in self._names:
            self._make(name)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        """Go over the names of all settings that have a row."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of those settings."""
        return len(self._names)
