"""The search field above the lists of layers and neurons."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import QLineEdit

from ldam_studio.gui.qt import ENTER, present
from ldam_studio.gui.theme import icons
from ldam_studio.networks.anatomy.objectives import explained


class SearchField(QLineEdit):
    """A field for layers, classes and addresses; Escape clears it, Down leaves it."""

    searched = pyqtSignal()  # the user changed the text
    confirmed = pyqtSignal()
    left_down = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._wiping = False
        self.setPlaceholderText("Layer, class or address")
        self.setToolTip(
            "Type part of a layer's name or type, part of a class's name, or an address, and press "
            "Enter. Addresses are layer:index, or -layer:index to make the neuron small; after the "
            f"index may stand {explained()}."
        )
        self.setAccessibleName("Search layers and neurons")
        self.setClearButtonEnabled(True)
        self.addAction(
            QAction(icons.icon("search"), "", self), QLineEdit.ActionPosition.LeadingPosition
        )
        self.textChanged.connect(self._changed)

    def wipe(self) -> None:
        """Clear the field without a search."""
        self._wiping = True
        self.clear()
        self._wiping = False

    def _changed(self) -> None:
        if not self._wiping:
            self.searched.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Handle Down, Enter and Escape; all other keys edit the text."""
        key = present(event).key()
        if key == Qt.Key.Key_Down:
            self.left_down.emit()
        elif key in ENTER:
            self.confirmed.emit()
        elif key == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
