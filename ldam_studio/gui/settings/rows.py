"""One row of the control panel for each kind of setting, made from the setting's description."""

from __future__ import annotations

import re
from abc import ABCMeta, abstractmethod
from typing import Any

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.gui.session.lanes import Each
from ldam_studio.gui.settings.scale import Scale
from ldam_studio.gui.settings.slider import AnnealSlider
from ldam_studio.sampler.setting import Setting

MIXED = "mixed"
_WITH_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")
_AWAY = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


def text_of(value: Any) -> str:
    """Return a value as the number field shows it: four significant digits, words as they are."""
    if isinstance(value, tuple):
        return text_of(value[0]) if len(set(value)) == 1 else MIXED
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def number_of(value: Any) -> float | None:
    """Return the number a slider stands at: the mean of the chains' own, None for "auto"."""
    if isinstance(value, tuple):
        return sum(value) / len(value)
    return None if isinstance(value, str) else float(value)


def with_point(text: str) -> str:
    """Return a typed number with a decimal point for its comma, unless that may part thousands."""
    is_decimal = _WITH_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text)
    return text.replace(",", ".") if is_decimal else text


class _AbstractWidget(type(QWidget), ABCMeta):  # type: ignore[misc]
    """What makes widgets of which a part is left to sub-classes."""


class SettingRow(QWidget, metaclass=_AbstractWidget):
    """What all rows have in common: the setting, and `chosen(name, value)` when a person acts."""

    chosen = pyqtSignal(str, object)
    gesture = pyqtSignal(str, bool)  # a drag began (True) or ended (False)
    gesture_resumed = pyqtSignal(str)  # what follows belongs to the drag that ended last

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self.home = setting.default
        self.setObjectName(f"setting-{setting.name}")

    @property
    def home(self) -> Any:
        """Where a double click goes: what the session began with."""
        return self._home

    @home.setter
    def home(self, value: Any) -> None:
        self._home = value
        self.setToolTip(self._tip())

    @abstractmethod
    def show_value(self, value: Any) -> None:
        """Show the value that the session has."""

    def _tip(self) -> str:
        default = text_of(self.setting.default)
        if self.setting.scale == "flag":
            default = "on" if self.setting.default else "off"
        tip = f"<p>{self.setting.help}</p><p>Default: {default}"
        if self.setting.scale not in ("flag", "choice"):
            home = text_of(self.home)
            goes = "each chain's own value" if home == MIXED else home
            tip += f". Turn the wheel over the slider; a double click goes back to {goes}, which "
            tip += "this session began with"
        return tip + ".</p>"

    def _accept(self, value: Any) -> None:
        self.chosen.emit(self.setting.name, value)


class NumberField(QLineEdit):
    """A field whose text counts when Return is pressed or the focus leaves; Escape restores it."""

    cancelled = pyqtSignal()
    left = pyqtSignal()  # for another widget, not another window

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell that it was left, after what was typed was taken or refused."""
        super().focusOutEvent(event)
        if event.reason() not in _AWAY:
            self.left.emit()

    def event(self, event: QEvent) -> bool:
        """Leave undoing to the window where nothing was typed that does not count yet."""
        if event.type() == QEvent.Type.ShortcutOverride and self._is_for_window(event):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Restore on Escape; else as every field."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif self._is_for_window(event):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _is_for_window(self, event: QKeyEvent) -> bool:
        keys = Qt.KeyboardModifier
        undoes = event.key() == Qt.Key.Key_Z and event.modifiers() in (
            keys.ControlModifier,
            keys.ControlModifier | keys.ShiftModifier,
        )
        return undoes and not self.isModified()


class NumberRow(SettingRow):
    """Label, number field, unit; below them the slider, and a line for what is wrong or meant."""

    def __init__(
        self, setting: Setting, parent: QWidget | None = None, *, slider: bool = True
    ) -> None:
        super().__init__(setting, parent)
        self._value: Any = setting.default
        self._wrong = self._was_told = False
        self._caption = ""
        self.scale = Scale.of(setting)
        label = QLabel(setting.label)
        self.field = NumberField()
        label.setBuddy(self.field)
        self.field.setAccessibleName(f"{setting.label}, number")
        self.field.setAccessibleDescription(setting.help)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(self.field.fontMetrics().horizontalAdvance("0.00000") + 18)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setProperty("role", "muted")
        self.note.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(label, 0, 0)
        unit = QLabel(setting.unit)
        unit.setProperty("role", "muted")
        unit.setVisible(bool(setting.unit))
        grid.addWidget(unit, 0, 1)
        grid.addWidget(self.field, 0, 2)
        self.slider = AnnealSlider() if slider else None
        if self.slider is not None:
            self.slider.setAccessibleName(setting.label)
            self.slider.setAccessibleDescription(setting.help)
            self.slider.valueChanged.connect(self._dragged)
            self.slider.turned.connect(self._turned)
            self.slider.reset.connect(self._reset)
            self.slider.grabbed.connect(lambda: self.gesture.emit(setting.name, True))
            self.slider.grabbed_again.connect(lambda: self.gesture_resumed.emit(setting.name))
            self.slider.released.connect(lambda: self.gesture.emit(setting.name, False))
            grid.addWidget(self.slider, 1, 0, 1, 3)
        grid.addWidget(self.note, 2, 0, 1, 3)
        self.field.editingFinished.connect(self._typed)
        self.field.cancelled.connect(self._restore)
        self.field.left.connect(self._leave)
        self.show_value(setting.default)

    def show_value(self, value: Any) -> None:
        """Show a number, a tuple with one number per chain, `Each` lane's own, or "auto"."""
        self._value = value
        if not (self.field.hasFocus() and self.field.isModified()):
            self.field.setText(text_of(value))
            self._complain("")
        number = number_of(value)
        if self.slider is not None:
            self.slider.show_position(0 if number is None else self.scale.position(number))

    def set_caption(self, text: str) -> None:
        """Say something beside the number, where nothing is wrong with it."""
        if text != self._caption:
            self._caption = text
            if not self._wrong:
                self._say(text)

    def _dragged(self, position: int) -> None:
        self._accept(self._typed_value(self.scale.value(position)))

    def _turned(self, notches: float) -> None:
        """Anneal: each chain's, or lane's, own value by the same factor, if they differ."""
        if isinstance(self._value, tuple):
            turned = tuple(self.scale.turned(value, notches) for value in self._value)
            self._accept(Each(*turned) if isinstance(self._value, Each) else turned)
            return
        number = number_of(self._value)
        start = self.scale.minimum if number is None else number
        self._accept(self._typed_value(self.scale.turned(start, notches)))

    def _reset(self) -> None:
        self._accept(self.home)

    def _typed(self) -> None:
        if not self.field.isModified():
            return
        try:
            value = self.setting.parse(with_point(self.field.text()))
        except StudioError as error:
            # Who leaves with it has not read it yet.
            self._was_told = self._wrong or self.field.hasFocus()
            self._complain(str(error))
            return
        self.field.setModified(False)
        self._complain("")
        self._accept(value)

    def _leave(self) -> None:
        """Show the value in force; a sentence that nobody could read yet stays below it."""
        if self._wrong:
            sentence = "" if self._was_told else self.note.text()
            self._restore()
            self._complain(sentence, in_field=False)
            self._was_told = True

    def _restore(self) -> None:
        self.field.setModified(False)
        self.field.setText(text_of(self._value))
        self._complain("")

    def _typed_value(self, number: float) -> float | int:
        return int(number) if self.scale.whole else number

    def _complain(self, sentence: str, *, in_field: bool = True) -> None:
        wrong = bool(sentence)
        if wrong or self._wrong:
            self._wrong = wrong
            self.field.setProperty("invalid", wrong and in_field)
            self.note.setProperty("role", "danger" if wrong else "muted")
            for widget in (self.field, self.note):
                widget.style().unpolish(widget)
                widget.style().polish(widget)
            self._say(sentence or self._caption)

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))


class FlagRow(SettingRow):
    """A check box."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.box = QCheckBox(setting.label)
        self.box.setAccessibleDescription(setting.help)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self.box)
        self.box.clicked.connect(self._accept)
        self.show_value(setting.default)

    def show_value(self, value: Any) -> None:
        """Tick the box or not."""
        self.box.setChecked(bool(value))


class QuietCombo(QComboBox):
    """A list that the wheel leaves alone unless it has the focus: panels are scrolled over it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only with the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceRow(SettingRow):
    """A label and a list to choose from."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.combo = QuietCombo()
        self.combo.addItems(list(setting.choices))
        self.combo.setAccessibleName(setting.label)
        self.combo.setAccessibleDescription(setting.help)
        label = QLabel(setting.label)
        label.setBuddy(self.combo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(label, 1)
        layout.addWidget(self.combo)
        self.combo.textActivated.connect(self._accept)
        self.show_value(setting.default)

    def show_value(self, value: Any) -> None:
        """Show the choice."""
        self.combo.setCurrentText(str(value))


def row_for(setting: Setting) -> SettingRow:
    """Return the row that fits a setting."""
    if setting.scale == "flag":
        return FlagRow(setting)
    if setting.scale == "choice":
        return ChoiceRow(setting)
    # A range that no slider can show (the burn-in threshold's) is typed.
    return NumberRow(setting, slider=setting.maximum < 1e9)
