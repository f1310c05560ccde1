"""A window beside the studio that shows neurons as thumbnails, sorted and sized as one likes."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QAbstractListModel, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.fitting_dialog import MARGIN
from ldam_studio.gui.neuron_grid.grid import SIZES, USUAL, Grid
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present, restyle
from ldam_studio.gui.quiet_combo import QuietCombo

SIZE = QSize(900, 640)


class GridWindow(QDialog):
    """A title, the grid with its order and size, how far something is, and buttons.

    Parameters
    ----------
    cells
        The neurons.
    orders
        The orders by name, with their titles.
    """

    order_chosen = pyqtSignal(str)

    def __init__(
        self, cells: QAbstractListModel, orders: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(True)
        self.grid = Grid(cells)
        self.title = Paragraph()
        self.title.setProperty("role", "title")
        self.order = QuietCombo()
        self.order.setAccessibleName("Order")
        for name, label in orders.items():
            self.order.addItem(label, name)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(*SIZES)
        self.size_slider.setValue(USUAL)
        self.size_slider.setFixedWidth(100)
        self.size_slider.setAccessibleName("Size of the thumbnails")
        self.size_slider.setToolTip("Size of the thumbnails")
        self.note = Paragraph()
        self.note.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.words = Paragraph()
        self.away = QPushButton("Close")
        self._place: QPoint | None = None  # of the frame, when the window was last closed
        self.order.activated.connect(lambda _at: self.order_chosen.emit(self.order.currentData()))
        self.size_slider.valueChanged.connect(self.grid.set_side)
        self.away.clicked.connect(lambda _on: self.close())

    def lay_out(self, above: QLayout, buttons: tuple[QPushButton, ...] = ()) -> None:
        """Fill the window.

        Parameters
        ----------
        above
            What stands above the grid.
        buttons
            Further buttons beside the one that closes the window.
        """
        shown = QHBoxLayout()
        label = QLabel("&Order")
        label.setBuddy(self.order)
        shown.addWidget(self.title, 1)
        shown.addWidget(label)
        shown.addWidget(self.order)
        shown.addSpacing(10)
        shown.addWidget(QLabel("Size"))
        shown.addWidget(self.size_slider)
        below = QHBoxLayout()
        below.addWidget(self.words, 1)
        for button in (*buttons, self.away):
            below.addWidget(button)
            button.setAutoDefault(False)  # Enter in the list opens a neuron
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(9)
        column.addLayout(above)
        column.addWidget(self.note)
        column.addLayout(shown)
        column.addWidget(self.grid, 1)
        column.addWidget(self.bar)
        column.addLayout(below)

    def say(self, text: str, role: str) -> None:
        """Show a sentence above the grid; none takes no room."""
        self.note.setText(text)
        self.note.setProperty("role", role)
        restyle(self.note)
        self.note.setVisible(bool(text))

    def come_forward(self) -> None:
        """Show the window, or bring it before others."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.grid.setFocus()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Esc; Enter in a field does not."""
        if present(event).key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return
        super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take a comfortable size, as far as the screen allows."""
        if not present(event).spontaneous() and not self.testAttribute(
            Qt.WidgetAttribute.WA_Resized
        ):
            room = present(self.screen()).availableGeometry().size() - MARGIN
            self.resize(SIZE.boundedTo(room))
        if not present(event).spontaneous() and self._place is not None:
            self.move(self._place)  # otherwise it comes back lower by the height of its title
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Remember where the window was."""
        if not present(event).spontaneous():
            self._place = self.pos()
        super().hideEvent(event)
