"""The field for the layer whose neurons are the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network


class ClassChoice(QuietCombo):
    """Lists what a loaded network returns; the name of any other layer can be typed.

    While it is empty, the layer is found by the number of labels, see `Options.class_layer`.
    """

    chosen = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setAccessibleName("Layer of the classes")
        self.setToolTip("The layer whose neurons are the classes; it matters for several outputs")
        field = present(self.lineEdit())
        field.setPlaceholderText("the output with as many neurons as labels; optional")
        self._was = ""
        self.activated.connect(lambda _row: self._finished())
        field.editingFinished.connect(self._finished)

    @property
    def layer(self) -> str | None:
        """The layer that was chosen; None while it is to be found."""
        return self.currentText().strip() or None

    def give(self, layer: str | None) -> None:
        """Show a layer that was chosen before."""
        self.setCurrentText(layer or "")
        self._was = self.currentText()

    def offer(self, network: Network | None) -> None:
        """List what a network returns, and keep what is chosen."""
        layer = self.layer
        self.blockSignals(True)
        self.clear()
        if network is not None:
            self.addItems(network.listing.outputs)
        self.blockSignals(False)
        self.give(layer)

    def _finished(self) -> None:
        if self.currentText() != self._was:
            self._was = self.currentText()
            self.chosen.emit()
