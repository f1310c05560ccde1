"""The base class of all rows in the panel of settings."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.settings.values import MIXED, text_of
from ldam_studio.sampler.setting import Setting


class _AbstractWidget(type(QWidget), ABCMeta):  # type: ignore[misc]  # sip's metaclass is dynamic
    """The metaclass of widgets with abstract methods."""


class SettingRow(QWidget, metaclass=_AbstractWidget):
    """Shows one setting, and emits `chosen` when the user changes it."""

    chosen = pyqtSignal(str, object)  # the setting's name, the new value
    gesture = pyqtSignal(str, bool)  # a drag of this setting began (True) or ended (False)
    gesture_resumed = pyqtSignal(str)  # later changes belong to the drag that ended last

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self._note = ""
        self.home = setting.default
        self.setObjectName(f"setting-{setting.name}")

    @property
    def home(self) -> object:
        """The value that a double click restores: the one at the start of the session."""
        return self._home

    @home.setter
    def home(self, value: object) -> None:
        self._home = value
        self.setToolTip(self._tip())

    @abstractmethod
    def show_value(self, value: object) -> None:
        """Show a value."""

    def set_note(self, text: str) -> None:
        """Set a sentence about what the value means at present; here it is in the tool tip."""
        if text != self._note:
            self._note = text
            self.setToolTip(self._tip())

    def _tip(self) -> str:
        default = text_of(self.setting.default)
        if self.setting.scale == "flag":
            default = "on" if self.setting.default else "off"
        tip = f"<p>{self._note}</p>" if self._note else ""
        tip += f"<p>{self.setting.help}</p><p>Default: {default}"
        if self.setting.scale == "curve":
            return f"{tip[: tip.rindex('<p>')]}"
        if self.setting.scale not in ("flag", "choice"):
            home = text_of(self.home)
            goes = "each chain's own value" if home == MIXED else home
            tip += f". The wheel over the slider changes it; a double click restores {goes}, the "
            tip += "value at the start of this session"
        return tip + ".</p>"

    def _accept(self, value: object) -> None:
        self.chosen.emit(self.setting.name, value)
