"""The input format of a network: as its source says, or in numbers that the user gives."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.control_names import FROM_SOURCE
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.networks.pixels import IMAGENET_MEAN, IMAGENET_STD, PixelSpec


@dataclass(frozen=True)
class Preset:
    """Texts for the fields of a common input format; an empty size keeps that of the field."""

    title: str
    size: str
    mean: str
    std: str
    range: str
    rest: str


COLOURS = 3  # channels of a picture
OWN = "Other numbers"
PRESETS = (
    Preset(
        "ImageNet",
        "3 × 224 × 224",
        ", ".join(map(str, IMAGENET_MEAN)),
        ", ".join(map(str, IMAGENET_STD)),
        "0 to 1",
        "0.5",
    ),
    Preset("Pixels from 0 to 1", "", "0", "1", "0 to 1", "0.5"),
    Preset("Pixels from -1 to 1", "", "0", "1", "-1 to 1", "0"),
    Preset("Pixels from 0 to 255", "", "0", "1", "0 to 255", "127.5"),
    Preset("MNIST", "1 × 28 × 28", "0.1307", "0.3081", "0 to 1", "0"),
)


class InputForm(QWidget):
    """A list of presets; the fields for numbers are hidden if the source gives the format."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preset = QuietCombo()
        self.preset.setAccessibleName("Input")
        self.preset.setPlaceholderText("Choose what images the network takes")
        self.preset.addItems([FROM_SOURCE, *(preset.title for preset in PRESETS), OWN])
        self.extent = self._field("Size", "channels × height × width, such as 3 × 224 × 224")
        self.mean = self._field("Mean", "subtracted: one number, or one for each channel")
        self.std = self._field("Standard deviation", "divides: one number, or one for each channel")
        self.range = self._field("Range", "the values of black and white, such as 0 to 1")
        self.rest = self._field("Rest colour", "what L2 pulls pixels towards; mid-range is grey")
        self.shown = self._field(
            "Shown channels",
            "channels shown as red, green and blue, counted from 0, such as 3, 2, 1; or only one",
        )
        self._numbers = QWidget()
        form = self._form = QFormLayout(self._numbers)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        for text, field in (
            ("Size", self.extent),
            ("Mean", self.mean),
            ("Std", self.std),
            ("Range", self.range),
            ("Rest", self.rest),
            ("Shown", self.shown),
        ):
            label = QLabel(text)
            label.setProperty("role", "muted")
            label.setBuddy(field)
            form.addRow(label, field)
        self.fields = (self.extent, self.mean, self.std, self.range, self.rest, self.shown)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.preset)
        layout.addWidget(self._numbers)
        self._numbers.hide()
        self.extent.textChanged.connect(self._show_channels)
        self._show_channels()
        self.preset.setCurrentIndex(0)
        self.preset.currentIndexChanged.connect(self._chosen)

    def _field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(hint)
        field.setToolTip(hint)
        field.textEdited.connect(self._edited)
        return field

    def ask(self) -> None:
        """Clear the choice, so that the user has to choose a format."""
        self.preset.setCurrentIndex(-1)
        self.preset.setFocus()

    def from_source(self) -> None:
        """Choose the format that the source gives."""
        self.preset.setCurrentIndex(0)

    @property
    def is_chosen(self) -> bool:
        """Whether a format is chosen; its numbers may still be invalid."""
        return self.preset.currentIndex() >= 0

    def fill(self, pixels: PixelSpec) -> None:
        """Write a format's numbers into the fields, so that the user can correct them."""
        self.extent.setText(f"{pixels.channels} × {pixels.height} × {pixels.width}")
        self.mean.setText(_written(pixels.mean))
        self.std.setText(_written(pixels.std))
        self.range.setText(f"{pixels.minimum:g} to {pixels.maximum:g}")
        self.rest.setText(f"{pixels.rest:g}")
        self.shown.setText(", ".join(map(str, pixels.shown)))

    def give(self, pixels: PixelSpec | None) -> None:
        """Show a format that the user gave before; None for the one that the source gives."""
        if pixels is None:
            self.from_source()
        else:
            self.fill(pixels)
            self.preset.setCurrentText(OWN)

    def pixels(self) -> PixelSpec | None:
        """Return the format in the fields; None for the one that the source gives.

        Raises
        ------
        StudioError
            If a number is missing or invalid.
        """
        if self.preset.currentText() == FROM_SOURCE:
            return None
        if not self.is_chosen:
            raise StudioError("Choose what images the network takes.")
        size = self._size()
        if size is None:
            raise StudioError("The size is channels × height × width, such as 3 × 224 × 224.")
        channels, height, width = size
        mean, std = (self._numbers_in(field, channels) for field in (self.mean, self.std))
        minimum, maximum = self._range()
        (rest,) = self._numbers_in(self.rest, 1)
        shown = self._shown() if channels > COLOURS else ()
        return PixelSpec(channels, height, width, mean, std, rest, minimum, maximum, shown)

    def _size(self) -> tuple[int, int, int] | None:
        """Return channels, height and width; None if they are not three whole numbers."""
        words = self.extent.text().lower().replace("×", " ").replace("x", " ").replace(",", " ")
        try:
            channels, height, width = (int(word) for word in words.split())
        except ValueError:
            return None
        return channels, height, width

    def _range(self) -> tuple[float, float]:
        words = self.range.text().lower().replace("to", " ").replace(",", " ").split()
        try:
            minimum, maximum = (float(word) for word in words)
        except ValueError:
            raise StudioError("The range is two numbers, such as 0 to 1.") from None
        return minimum, maximum

    def _shown(self) -> tuple[int, ...]:
        try:
            return tuple(int(word) for word in self.shown.text().replace(",", " ").split())
        except ValueError:
            raise StudioError("Shown channels are whole numbers, such as 3, 2, 1.") from None

    def _show_channels(self) -> None:
        """Show the field for the shown channels if there are more than three channels."""
        size = self._size()
        self._form.setRowVisible(self.shown, size is not None and size[0] > COLOURS)

    @staticmethod
    def _numbers_in(field: QLineEdit, channels: int) -> tuple[float, ...]:
        """Return one number per channel; a single number holds for all."""
        try:
            found = tuple(float(word) for word in field.text().replace(",", " ").split())
        except ValueError:
            found = ()
        if len(found) not in (1, channels):
            each = "" if channels == 1 else f", or {channels}"
            raise StudioError(f"{field.accessibleName()} needs one number{each}.")
        return found * channels if len(found) == 1 else found

    def _chosen(self) -> None:
        number = self.preset.currentIndex() - 1
        if 0 <= number < len(PRESETS):
            preset = PRESETS[number]
            self.extent.setText(preset.size or self.extent.text())
            for field, text in (
                (self.mean, preset.mean),
                (self.std, preset.std),
                (self.range, preset.range),
                (self.rest, preset.rest),
            ):
                field.setText(text)
        self._numbers.setVisible(number >= 0)
        self.changed.emit()

    def _edited(self) -> None:
        # Emit `changed` once, not for the preset as well.
        self.preset.blockSignals(True)
        self.preset.setCurrentText(OWN)
        self.preset.blockSignals(False)
        self.changed.emit()


def _written(numbers: tuple[float, ...]) -> str:
    same = len(set(numbers)) == 1
    return ", ".join(f"{number:g}" for number in (numbers[:1] if same else numbers))
