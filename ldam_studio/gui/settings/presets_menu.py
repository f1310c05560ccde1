"""The menu of presets, shown in the menu bar and above the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from ldam_studio.errors import StudioError
from ldam_studio.gui.qt import present
from ldam_studio.sampler.presets import PRESETS

if TYPE_CHECKING:
    from ldam_studio.gui.session.model import Model
    from ldam_studio.sampler.presets import Preset
    from ldam_studio.user_presets import UserPresets


class PresetsMenu(QObject):
    """Fills menus with the presets when they open, and ticks those with the current values.

    Parameters
    ----------
    presets
        The user's own presets.
    apply
        Called with the chosen preset.
    actions
        The entries below the presets.
    complain
        Called with one sentence if the user's own presets cannot be read.
    """

    def __init__(
        self,
        model: Model,
        presets: UserPresets,
        apply: Callable[[Preset], object],
        actions: tuple[QAction, ...],
        complain: Callable[[str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._model, self._presets, self._apply = model, presets, apply
        self._actions, self._complain = actions, complain

    def attach(self, menu: QMenu) -> None:
        """Fill a menu whenever it is opened."""
        menu.setToolTipsVisible(True)
        # The file is read when the menu opens, so that it does not delay the start.
        menu.aboutToShow.connect(lambda: self._fill(menu, self._own()))
        self._fill(menu, ())

    def _fill(self, menu: QMenu, own: tuple[Preset, ...]) -> None:
        menu.clear()
        for preset in PRESETS.values():
            self._add(menu, preset, f"&{preset.label}")
        if own:
            menu.addSeparator()
        for number, preset in enumerate(own, 1):
            # A name may contain ampersands, which mark mnemonics in a menu.
            digit = f"&{number}  " if number < 10 else ""
            self._add(menu, preset, digit + preset.label.replace("&", "&&"))
        menu.addSeparator()
        menu.addActions(self._actions)

    def _own(self) -> tuple[Preset, ...]:
        try:
            return tuple(self._presets.read().values())
        except StudioError as error:
            self._complain(str(error))
            return ()

    def _add(self, menu: QMenu, preset: Preset, text: str) -> None:
        action = present(menu.addAction(text))
        action.setToolTip(preset.help)
        action.setStatusTip(preset.help)
        action.setEnabled(self._model.is_open)
        action.setCheckable(True)
        if self._model.is_open:
            wanted, values = self._model.values_of(preset), self._model.values()
            action.setChecked(all(values[name] == value for name, value in wanted.items()))
        action.triggered.connect(lambda _on: self._apply(preset))
