"""The part of the dialog that asks for weights: a file, a set of weights in it, or random ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from ldam_studio.files import expanded
from ldam_studio.gui.control_names import PARTIAL
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.quiet_wheel import leave_wheel
from ldam_studio.networks.weights.choice import MOST_SEED, WeightsChoice
from ldam_studio.networks.weights.notes import TOP
from ldam_studio.networks.weights.shown import shown
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

WEIGHTS = f"Weights ({' '.join(f'*{end}' for end in WEIGHTS_SUFFIXES)});;All files (*)"


class WeightsForm(QWidget):
    """Asks for a file of weights, or for random weights.

    The field for the file is in the row above, `row`. Once a file was read that holds several sets
    of weights, one of them can be chosen in the row below, `sets`.
    """

    changed = pyqtSignal()
    set_chosen = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.file = QLineEdit()
        self.file.setAccessibleName("Weights file")
        self.row = PathRow(self.file, self._browse, name="Browse for weights")
        self.random = QCheckBox("Random weights")
        self.random.setToolTip("As the network has them before any training")
        self.seed = QSpinBox()
        leave_wheel(self.seed)
        self.seed.setRange(0, MOST_SEED)
        self.seed.setPrefix("seed ")
        self.seed.setAccessibleName("Seed of the random weights")
        self.sets = QuietCombo()
        self.sets.setAccessibleName("Set of weights")
        self.sets.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.sets.setMinimumContentsLength(12)
        self.partial = QCheckBox(PARTIAL)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(self.random)
        layout.addWidget(self.seed)
        layout.addWidget(self.partial)
        layout.addStretch(1)
        self.file.textChanged.connect(lambda _text: self._file_changed())
        self.random.toggled.connect(lambda _on: self._changed())
        self.seed.valueChanged.connect(lambda _value: self._changed())
        self.partial.toggled.connect(lambda _on: self.changed.emit())
        self.sets.activated.connect(lambda _at: self.set_chosen.emit())
        self._changed()

    @property
    def path(self) -> Path | None:
        """The file; None if there is none, or random weights are wanted."""
        text = self.file.text().strip()
        return None if self.random.isChecked() or not text else expanded(text)

    @property
    def choice(self) -> WeightsChoice:
        """What is chosen."""
        if self.random.isChecked():
            return WeightsChoice(seed=self.seed.value())
        return WeightsChoice(self.path, None if self.path is None else self.sets.currentData())

    @property
    def has_sets(self) -> bool:
        """Whether there are sets to choose from."""
        return self.sets.count() > 0 and not self.random.isChecked()

    def fill(self, choice: WeightsChoice) -> None:
        """Show a choice."""
        self.file.setText("" if choice.file is None else str(choice.file))
        self.random.setChecked(choice.seed is not None)
        self.seed.setValue(choice.seed or 0)
        self._offer(() if choice.key is None else (choice.key,), choice.key)

    def offer(self, network: Network) -> None:
        """Offer the sets of weights in the file from which a network was read."""
        provenance = network.provenance
        if provenance.sets:
            self._offer(provenance.sets, provenance.weights_key)

    def _offer(self, keys: tuple[str, ...], current: str | None) -> None:
        self.sets.clear()
        if current is not None and current not in keys:
            keys = (current, *keys)
        for key in keys:
            self.sets.addItem(shown(key) if key else TOP, key)
        self.sets.setCurrentIndex(self.sets.findData(current))
        self._show()

    def _file_changed(self) -> None:
        self.sets.clear()  # those of another file
        self._changed()

    def _changed(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        drawn = self.random.isChecked()
        self.row.setEnabled(not drawn)
        self.seed.setVisible(drawn)
        self.partial.setVisible(not drawn)
        self.partial.setEnabled(self.path is not None)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Weights", self.file.text(), WEIGHTS)
        if path:
            self.file.setText(path)
