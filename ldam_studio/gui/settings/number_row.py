"""The row of a setting that is a number."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.settings.number_field import NumberField, width_in
from ldam_studio.gui.settings.scale import Scale
from ldam_studio.gui.settings.slider import AnnealSlider
from ldam_studio.gui.settings.typed_row import TypedRow
from ldam_studio.gui.settings.values import number_of, text_of, with_point
from ldam_studio.sampler.setting import Setting

FOLLOWS = (
    "The schedule moves this slider; the mark on it is the setting's own value, which the field "
    "shows. Move the slider to take it over."
)
TAKEN = "You have moved this setting, so it has left the schedule."
GAP = 6  # pixels between the parts of a row, and around an empty label


def least_width(setting: Setting, metrics: QFontMetrics) -> int:
    """Return the width in pixels that the row of a setting needs, without making the row."""
    words = metrics.horizontalAdvance(setting.label) + metrics.horizontalAdvance(setting.unit)
    return words + 4 * GAP + 1 + width_in(metrics)  # parts of a pixel are rounded up


class NumberRow(TypedRow):
    """A label, a unit and a number field; below them a slider, and a line for errors.

    While a schedule changes the setting, the slider's handle follows, a mark on it is the setting's
    own value, and the present value is shown beside the label. A button below the note can offer to
    do something about the setting.
    """

    offer_taken = pyqtSignal(str)  # the setting's name

    def __init__(
        self, setting: Setting, parent: QWidget | None = None, *, slider: bool = True
    ) -> None:
        super().__init__(setting, NumberField(), parent)
        self._present: float | None = None  # what a schedule gives the setting
        self.scale = Scale.of(setting)
        label = QLabel(setting.label)
        label.setBuddy(self.field)
        self.field.setAccessibleName(f"{setting.label}, number")
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(label, 0, 0)
        self.present = NamedLabel(f"{setting.label} at present")
        self.present.setProperty("role", "muted")
        grid.addWidget(self.present, 0, 1)
        unit = QLabel(setting.unit)
        unit.setProperty("role", "muted")
        grid.addWidget(unit, 0, 2)
        unit.setVisible(bool(setting.unit))  # in the row; before, it would open a window
        grid.addWidget(self.field, 0, 3)
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
            grid.addWidget(self.slider, 1, 0, 1, 4)
        grid.addWidget(self.note, 2, 0, 1, 4)
        self.offer = QPushButton()
        self.offer.setAutoDefault(False)
        self.offer.clicked.connect(lambda _on: self.offer_taken.emit(setting.name))
        self.offer.hide()
        grid.addWidget(self.offer, 3, 0, 1, 4, Qt.AlignmentFlag.AlignLeft)
        self.show_value(setting.default)

    def show_value(self, value: object) -> None:
        """Show a number, a tuple with one number per chain, `PerLane` numbers, or "auto"."""
        super().show_value(value)
        self._show_handle()

    def show_present(self, value: float | None, *, taken: bool = False) -> None:
        """Show the value that a schedule gives the setting at present; None if there is none.

        A setting that was `taken` out of a schedule that runs can be put back.
        """
        text = "by hand" if taken else ""
        if value is not None:
            text = f"now {value:g}" if self.setting.scale == "count" else f"now {value:.2g}"
        if text != self.present.text():
            self.present.setText(text)
            self.present.setToolTip(TAKEN if taken else FOLLOWS if text else "")
        if value != self._present:
            self._present = value
            self._show_handle()

    def _show_handle(self) -> None:
        if self.slider is None:
            return
        own = number_of(self._value)
        shown = own if self._present is None else self._present
        self.slider.show_position(0 if shown is None else self.scale.position(shown))
        marked = None if self._present is None else own
        self.slider.show_mark(None if marked is None else self.scale.position(marked))

    def set_offer(self, text: str) -> None:
        """Set the text of the button below the note; it is removed if that is empty."""
        if text != self.offer.text():
            self.offer.setText(text)
            self.offer.setVisible(bool(text))

    def _dragged(self, position: int) -> None:
        self._accept(self._typed_value(self.scale.value(position)))

    def _turned(self, notches: float) -> None:
        """Change the value by turns of the wheel; differing values keep their ratios."""
        if isinstance(self._value, tuple):
            turned = tuple(self.scale.turned(value, notches) for value in self._value)
            self._accept(PerLane(turned) if isinstance(self._value, PerLane) else turned)
            return
        number = number_of(self._value) if self._present is None else self._present
        start = self.scale.minimum if number is None else number
        self._accept(self._typed_value(self.scale.turned(start, notches)))

    def _reset(self) -> None:
        self._accept(self.home)

    def text_of(self, value: object) -> str:
        """Return a number as the field shows it."""
        return text_of(value)

    def read(self, text: str) -> object:
        """Return the value of a typed text, which may have a decimal comma."""
        return self.setting.parse(with_point(text))

    def _typed_value(self, number: float) -> float | int:
        return int(number) if self.scale.whole else number
