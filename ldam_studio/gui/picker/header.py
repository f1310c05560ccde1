"""The line above the neuron picker's lists: the number of neurons, and buttons."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ldam_studio.gui.picker.search import Found
from ldam_studio.gui.theme import icons

BUTTONS = {
    "star": "Star this neuron",
    "previous": "Previous neuron",
    "next": "Next neuron",
    "random": "Random neuron of this layer",
    "all": "All: show this layer's neurons, one per chain",
}


class NeuronHeader(QWidget):
    """The number of listed neurons, and buttons; ``pressed`` carries a key of `BUTTONS`."""

    pressed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.count = _Count()
        self.count.setProperty("role", "muted")
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.count, 1)
        self.buttons = {name: self._button(name, text) for name, text in BUTTONS.items()}
        for button in self.buttons.values():
            row.addWidget(button)

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(name))
        button.setToolTip(text)
        button.setAccessibleName(text)
        if name == "all":
            button.setText("All")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("compact", True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: self.pressed.emit(name))
        return button

    def show_count(self, found: Found, total: int) -> None:
        """Show how many of a layer's `total` neurons a search has found."""
        listed = len(found.neurons)
        partly = found.layers is not None and listed != total
        count = f"{listed:,} of {total:,}" if partly else f"{total:,}"
        whole = f"{count} neuron" if total == 1 else f"{count} neurons"
        tip = f"{found.layer}: {whole}"
        if found.addressed:
            whole = "Enter shows it" if listed == 1 else "Enter shows them"
        self.count.say(whole, count)
        self.count.setToolTip(tip)

    def enable(self, some: bool, one: bool) -> None:
        """Enable the star if `one` neuron is in front, the others if `some` are listed."""
        for name, button in self.buttons.items():
            button.setEnabled(one if name == "star" else some)

    def show_star(self, on: bool) -> None:
        """Show whether the current neuron is starred."""
        button = self.buttons["star"]
        text = "Remove this neuron's star" if on else BUTTONS["star"]
        button.setIcon(icons.icon("starred" if on else "star"))
        button.setToolTip(text)
        button.setAccessibleName(text)


class _Count(QLabel):
    """A number and a word; the word is left out if there is no space for both."""

    def __init__(self) -> None:
        super().__init__()
        self._texts = ("", "")

    def say(self, whole: str, short: str) -> None:
        """Show the first text, or the second if the first does not fit, or nothing."""
        self._texts = whole, short
        self.setToolTip(whole)
        self._fit()

    def _fit(self) -> None:
        width, metrics = self.width(), self.fontMetrics()
        fitting = (text for text in self._texts if metrics.horizontalAdvance(text) <= width)
        self.setText(next(fitting, ""))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit()
