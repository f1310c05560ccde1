"""What the dialog asks for: a network, its weights, its labels and its input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from ldam_studio.files import expanded
from ldam_studio.gui.network_dialog.class_choice import ClassChoice
from ldam_studio.gui.network_dialog.input_form import InputForm
from ldam_studio.gui.network_dialog.source import BUILT_IN, CODE, LIBRARY, NetworkSource
from ldam_studio.gui.network_dialog.weights_form import WeightsForm
from ldam_studio.gui.path_row import PathRow
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.choice import WeightsChoice

LABELS = "Text (*.txt);;All files (*)"
OWN_WEIGHTS = {
    BUILT_IN: "those that come with the program",
    LIBRARY: "the published ones, downloaded once",
    CODE: "those of the returned module",
}


class RequestForm(QWidget):
    """The upper part of the dialog: all fields, from which a request is made."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self._asked_of = ""  # the source that does not tell its input format
        self.source = NetworkSource()
        self.choice = WeightsForm()
        self.labels = QLineEdit()
        self.labels.setAccessibleName("Labels file")
        self.labels.setPlaceholderText("class names, one a line, or imagenet; optional")
        self.steady = QCheckBox("Without its randomness: no dropout, other random numbers fixed")
        self.steady.setToolTip(
            "For networks that draw random numbers when they are run, also in evaluation mode"
        )
        self.classes = ClassChoice()
        self.input = InputForm()
        rows = self._rows = QFormLayout()
        rows.setVerticalSpacing(10)
        rows.setHorizontalSpacing(14)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Weights", self.choice.row)
        rows.addRow("", self.choice)
        rows.addRow("Set", self.choice.sets)
        rows.addRow("Labels", PathRow(self.labels, self._browse, name="Browse for labels"))
        rows.addRow("Classes", self.classes)
        rows.addRow("Input", self.input)
        rows.addRow("", self.steady)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(self.source, 1)
        layout.addLayout(rows)
        self.source.changed.connect(self._source_changed)
        self.labels.textChanged.connect(self._changed)
        self.input.changed.connect(self._changed)
        self.choice.changed.connect(self._changed)
        self.steady.toggled.connect(self._changed)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Labels", self.labels.text(), LABELS)
        if path:
            self.labels.setText(path)

    # -- requests --------------------------------------------------------------------------------

    def fill(self, request: NetworkRequest) -> None:
        """Fill in a network; the user has to agree again before code is run."""
        with self.filling():
            self.source.set_name(request.name)
            weights = WeightsChoice(request.weights, request.weights_key, request.random_seed)
            self.choice.fill(weights)
            self.labels.setText("" if request.labels is None else str(request.labels))
            self.choice.partial.setChecked(request.partial)
            self.steady.setChecked(request.steady)
            self.classes.give(request.class_layer)
            self.input.give(request.pixels)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Let fields be filled in; they are looked at together at the end."""
        self._filling = True
        try:
            yield
        finally:
            self._filling = False
        self._changed()

    def wish(self) -> NetworkRequest:
        """Return the request that is filled in; raises `StudioError` if the input is invalid."""
        weights, labels = self.choice.choice, self.labels.text().strip()
        built_in = self.source.kind == BUILT_IN
        return NetworkRequest(
            self.source.name,
            weights.file,
            expanded(labels) if labels else None,
            self.choice.partial.isChecked() and weights.file is not None,
            None if built_in else self.input.pixels(),
            self.steady.isChecked() and not built_in,
            class_layer=None if built_in else self.classes.layer,
            weights_key=weights.key,
            random_seed=weights.seed,
        )

    # -- what a network says about itself --------------------------------------------------------

    def understand(self, network: Network) -> None:
        """Offer what a network that was loaded has to choose from."""
        self._filling = True
        if not self.input.preset.currentIndex():
            self.input.fill(network.pixels)
        self.choice.offer(network)
        self._filling = False
        self._rows.setRowVisible(self.choice.sets, self.choice.has_sets)
        self.classes.offer(network)

    def ask_for_input(self) -> None:
        """Have the user choose an input format, because the source does not give it."""
        self._asked_of = self.source.name
        self._filling = True
        self.input.ask()
        self._filling = False

    def _source_changed(self) -> None:
        """Reset the input if the user was asked for that of another source, and did not answer."""
        if not self._filling and not self.input.is_chosen and self.source.name != self._asked_of:
            self._filling = True
            self.input.from_source()
            self._filling = False
        self._changed()

    def _changed(self) -> None:
        if self._filling:
            return
        kind = self.source.kind
        self.choice.file.setPlaceholderText(OWN_WEIGHTS[kind])
        self._rows.setRowVisible(self.choice.sets, self.choice.has_sets)
        self.classes.offer(None)
        for row in (self.input, self.steady, self.classes):
            self._rows.setRowVisible(row, kind != BUILT_IN)
        self.changed.emit()
