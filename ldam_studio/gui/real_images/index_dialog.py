"""The dialog that asks which real images to show to a network, and for which layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError, shortened
from ldam_studio.explore.real_images.estimate import Estimate, estimate
from ldam_studio.explore.real_images.folders import MOST_LISTED
from ldam_studio.explore.real_images.nearest import layers_for
from ldam_studio.explore.real_images.sources import FOLDER, Spec, words_of
from ldam_studio.files import expanded, is_there
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import folder_or_zip
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.task import Task
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.families import short_name
from ldam_studio.progress import Stage

LIMIT = 10_000
"""Largest number of images at first."""
LETTERS = 40  # of a layer's name
PAUSE_MS = 400  # after the last letter of a path, before it is looked at


class IndexDialog(FittingDialog):
    """Asks for images and layers; when accepted, they are in `spec`, `limit` and `layers`.

    Parameters
    ----------
    network
        The network.
    layer
        The layer of the neuron in front.
    found
        The data sets on this computer that suit the network.
    suggested
        What was chosen last; None for nothing.
    """

    def __init__(
        self,
        network: Network,
        layer: str,
        found: Sequence[Spec],
        suggested: Spec | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Index Images for {short_name(network.name)}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._network, self._layer, self._found = network, layer, tuple(found)
        self._task: Task | None = None
        self.spec: Spec | None = None
        self.limit, self.layers = 0, layers_for(network, layer)
        self._make(suggested)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(PAUSE_MS)
        self._later.timeout.connect(self._estimate)
        self.finished.connect(lambda _result: self._leave())
        self._changed()

    def _make(self, suggested: Spec | None) -> None:
        self.images = QuietCombo()
        for spec in self._found:
            self.images.addItem(words_of(spec)[0].upper() + words_of(spec)[1:], spec)
        self.images.addItem("A folder or zip of pictures", None)
        self.images.setAccessibleName("Real images")
        is_folder = suggested is not None and suggested.kind == FOLDER
        if suggested in self._found:
            self.images.setCurrentIndex(self._found.index(suggested))
        elif is_folder:
            self.images.setCurrentIndex(len(self._found))
        self.path = QLineEdit(present(suggested).place if is_folder else "")
        self.path.setPlaceholderText("Folder or zip")
        self.path.setAccessibleName("Folder or zip of pictures")
        self._row = row = folder_or_zip(self.path, "pictures")
        self.which = QuietCombo()
        name = shortened(self._layer, LETTERS)
        self.which.addItem(f"{name}, the layer of the neuron in front", False)
        self.which.addItem(f"All {len(self._network.layers)} layers", True)
        self.which.setAccessibleName("Layers")
        self.most = CountBox("image")
        self.most.setRange(0, MOST_LISTED)
        self.most.setSpecialValueText("all")
        self.most.setValue(LIMIT)
        self.most.setSingleStep(1000)
        self.most.setAccessibleName("At most")
        self.most.setToolTip("Of more images, so many are taken, evenly spaced; 0 for all")
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Images", self.images)
        form.addRow("", row)
        form.addRow("&Layers", self.which)
        form.addRow("&At most", self.most)
        self._form = form
        self.note = Paragraph()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go_on = present(buttons.addButton("Index", QDialogButtonBox.ButtonRole.ActionRole))
        self.go_on.setDefault(True)
        self.go_on.clicked.connect(lambda _on: self.go())
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout()
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.lay_out(layout, buttons, lines=38)
        self.images.currentIndexChanged.connect(lambda _at: self._changed())
        self.which.currentIndexChanged.connect(lambda _at: self._changed())
        self.path.textChanged.connect(lambda _text: self._changed())
        self.most.valueChanged.connect(lambda _value: self._changed())

    def go(self) -> None:
        """Accept the dialog, if the folder or zip exists."""
        spec = self._chosen()
        if spec is None:
            return
        if spec.kind == FOLDER and not is_there(Path(spec.place)):
            self.say(
                self.note, f"There is no folder or zip {spec.place}; check the path.", "danger"
            )
            return
        self.spec, self.limit, self.layers = spec, self.most.value(), self._layers()
        self.accept()

    def _chosen(self) -> Spec | None:
        """Return what is chosen; None while no path is given."""
        spec = self.images.currentData()
        if isinstance(spec, Spec):
            return spec
        text = self.path.text().strip()
        return Spec(FOLDER, str(expanded(text).absolute())) if text else None

    def _layers(self) -> tuple[str, ...]:
        if self.which.currentData():
            return tuple(layer.name for layer in self._network.layers)
        return layers_for(self._network, self._layer)

    # How long it will take

    def _changed(self) -> None:
        self._leave()
        self._form.setRowVisible(self._row, self.images.currentData() is None)
        spec = self._chosen()
        self.go_on.setEnabled(spec is not None)
        if spec is None:
            self._say("Choose pictures such as those that the network was trained on.")
            return
        self._say("Counting the images …")
        self._later.start()

    def _estimate(self) -> None:
        spec = self._chosen()
        if spec is None:
            return
        network, layers, limit = self._network, self._layers(), self.most.value()
        task = self._task = Task(lambda _task: estimate(network, spec, layers, limit))
        task.setObjectName("real-images-estimate")
        task.staged.connect(lambda stage: self._say(_counting(stage)))
        task.done.connect(self._show_estimate)
        task.failed.connect(self._show_error)
        task.start()

    def _show_estimate(self, found: Estimate) -> None:
        self._leave()
        many = f"{found.images:,} image" + "s" * (found.images != 1)
        if found.total > found.images:
            many += f" of {found.total:,}, evenly spaced"
        self._say(
            f"{many}; about {in_words(found.seconds)} at most. The session goes on meanwhile, and "
            "what was measured before is not measured again."
        )

    def _show_error(self, error: StudioError) -> None:
        self._leave()
        self.go_on.setEnabled(False)
        self.say(self.note, str(error), "danger")

    def _say(self, text: str) -> None:
        self.say(self.note, text, "muted")

    def _leave(self) -> None:
        self._later.stop()
        if self._task is not None:
            self._task.leave()
            self._task = None


def _counting(stage: Stage) -> str:
    return f"{stage.doing[0].upper()}{stage.doing[1:]} …"


def in_words(seconds: float) -> str:
    """Return a duration in words, rounded up."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = -(-seconds // 60)
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
