"""The rows of the panel of settings: a class for each kind of setting."""

from __future__ import annotations

from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.settings.number_field import NumberField
from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.gui.settings.setting_row import SettingRow
from ldam_studio.gui.settings.typed_row import TypedRow
from ldam_studio.sampler.setting import Setting


class FlagRow(SettingRow):
    """A check box for a setting that is on or off."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.box = QCheckBox(setting.label)
        self.box.setAccessibleDescription(setting.help)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self.box)
        self.box.clicked.connect(self._accept)
        self.show_value(setting.default)

    def show_value(self, value: object) -> None:
        """Tick the box or clear it."""
        self.box.setChecked(bool(value))


class ChoiceRow(SettingRow):
    """A label and a list to choose from, and a line for what the choice means at present."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.combo = QuietCombo()
        self.combo.addItems(list(setting.choices))
        self.combo.setAccessibleName(setting.label)
        self.combo.setAccessibleDescription(setting.help)
        label = QLabel(setting.label)
        label.setBuddy(self.combo)
        self.note = Paragraph()
        self.note.setProperty("role", "muted")
        self.note.hide()
        row = QHBoxLayout()
        row.addWidget(label, 1)
        row.addWidget(self.combo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.note)
        self.combo.textActivated.connect(self._accept)
        self.show_value(setting.default)

    def show_value(self, value: object) -> None:
        """Show the choice."""
        self.combo.setCurrentText(str(value))

    def set_note(self, text: str) -> None:
        """Set the sentence below the choice."""
        if text != self.note.text():
            self.note.setText(text)
            self.note.setVisible(bool(text))


class CurveField(NumberField):
    """A field for the points of a curve, as wide as there is room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setPlaceholderText("none; such as 0:1, 40:0.2, 100:0.01")


class CurveRow(TypedRow):
    """A label, and below it a field for the points of a curve."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, CurveField(), parent)
        label = QLabel(setting.label)
        label.setBuddy(self.field)
        self.field.setAccessibleName(f"{setting.label}, points")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (label, self.field, self.note):
            layout.addWidget(widget)
        self.show_value(setting.default)

    def text_of(self, value: object) -> str:
        """Return the points as they are stored."""
        return str(value)

    def show_value(self, value: object) -> None:
        """Show the points, from the first on."""
        super().show_value(value)
        if not self.field.hasFocus():
            self.field.setCursorPosition(0)


def row_for(setting: Setting) -> SettingRow:
    """Return the row for a setting."""
    if setting.scale == "flag":
        return FlagRow(setting)
    if setting.scale == "choice":
        return ChoiceRow(setting)
    if setting.scale == "curve":
        return CurveRow(setting)
    # The range of the burn-in threshold is too large for a slider; it can only be typed.
    return NumberRow(setting, slider=setting.maximum < 1e9)
