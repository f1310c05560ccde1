"""The panel below the images with the filmstrip."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QModelIndex, QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ldam_studio.export.filmstrip.pins import Pin
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.filmstrip.model import Pins
from ldam_studio.gui.filmstrip.strip import Strip
from ldam_studio.gui.one_line import OneLine
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present

ACTIONS = (
    ("restore", "Go Back to This Moment", "Return"),
    ("compare", "Compare with the Present", "Shift+Return"),
    ("star", "Star", "S"),
    ("note", "Edit Note", "F2"),
    ("delete", "Delete", "Del"),
)


class FilmstripPanel(QWidget):
    """Shows the pins and buttons; it knows no session."""

    asked = pyqtSignal(str, object)  # "restore", "compare", "delete" or "drag", and a Pin
    pin_asked = pyqtSignal()
    export_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pins = Pins(self)
        self.strip = Strip(self.pins)
        self.strip.asked.connect(self._ask)
        self.strip.menu.connect(self._open_menu)
        self._summary = OneLine()
        self._pin = _button("Pin", "Pin the moment that you see (P)", self.pin_asked.emit)
        self._export = _button(
            "Export All…",
            "Save all pictures with their recipes in a folder",
            self.export_asked.emit,
        )
        self._empty = Paragraph(words.EMPTY)
        self._empty.setProperty("role", "empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.strip)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._summary, 1)
        row.addWidget(self._pin)
        row.addWidget(self._export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self._pages, 1)
        for changed in (self.pins.rowsInserted, self.pins.rowsRemoved, self.pins.modelReset):
            changed.connect(self._count)
        self._count()

    def _count(self) -> None:
        count = self.pins.rowCount()
        self._summary.setText(f"{words.summary(count)}. {words.HINT}." if count else "")
        self._export.setEnabled(count > 0)
        self._pages.setCurrentIndex(1 if count else 0)

    def _ask(self, name: str, index: QModelIndex) -> None:
        pin = self.pins.pin_at(index)
        if pin is not None:
            self.asked.emit(name, pin)

    def _open_menu(self, index: QModelIndex, where: QPoint) -> None:
        pin = self.pins.pin_at(index)
        if pin is None:
            return
        menu = QMenu(self)
        for name, text, key in ACTIONS:
            shown = words.UNSTAR if name == "star" and pin.star else text
            action = present(menu.addAction(shown))
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(partial(self._do, name, pin))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def _do(self, name: str, pin: Pin, _on: bool = False) -> None:
        row = self.pins.row_of(pin)
        if row is None:
            return
        if name == "star":
            self.pins.star(row)
        elif name == "note":
            self.strip.edit(self.pins.index(row))
        else:
            self.asked.emit(name, pin)


def _button(text: str, tip: str, act: object) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(lambda _on: act())  # type: ignore[operator]
    return made
