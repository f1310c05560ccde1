"""The dialog that asks how a whole layer is drawn in the background, and into which folder."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.atlas.cluster import cores
from ldam_studio.explore.sheets.spec import CHAINS, MOST_CHAINS_EACH, STEPS
from ldam_studio.files import expanded
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.qt import present

MOST_STEPS = 100_000
LINES = 30
ABOUT = (
    "The neurons are drawn by processes of their own with low priority, while the session goes on, "
    "and stay as an atlas in a folder. A contact sheet, by contrast, is drawn at once, in the "
    "window, and the session is paused for it."
)
TAKEN = (
    "Settings, seed and colours are those of this session as they are now. Only this is chosen "
    "here:"
)


class DrawDialog(FittingDialog):
    """Asks; `wanted` is emitted when everything is filled in, and the dialog stays open."""

    wanted = pyqtSignal()

    def __init__(self, on_gpu: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Draw the Whole Layer")
        self.title = Paragraph()
        self.title.setProperty("role", "title")
        about = Paragraph(ABOUT)
        about.setProperty("role", "muted")
        taken = Paragraph(TAKEN)
        self.chains = _count("chain", MOST_CHAINS_EACH, CHAINS, "Chains of each neuron")
        self.chains.setToolTip(
            "Chains of each neuron; the picture is that of the one with the highest activation"
        )
        self.steps = _count("step", MOST_STEPS, STEPS, "Most steps of each neuron")
        self.steps.setToolTip("At most; a picture that has converged needs fewer")
        usual = 1 if on_gpu else max(1, cores() - 1)
        self.workers = _count("", max(usual, cores()), usual, "Processes")
        self.workers.setToolTip(
            "Processes that draw at the same time; one core is left for the session"
        )
        self.folder = QLineEdit()
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("An atlas of this network and these settings goes on there")
        self.note = Paragraph()
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(14)
        form.addRow("&Chains", self.chains)
        form.addRow("At &most", self.steps)
        form.addRow("&Processes", self.workers)
        form.addRow("&Folder", PathRow(self.folder, self._browse, name="Choose the folder"))
        body = QVBoxLayout()
        body.setSpacing(12)
        body.addWidget(self.title)
        body.addWidget(about)
        body.addWidget(taken)
        body.addLayout(form)
        body.addWidget(self.note)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.draw = present(self.buttons.addButton("Draw", QDialogButtonBox.ButtonRole.AcceptRole))
        self.draw.setDefault(True)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.lay_out(body, self.buttons, LINES)

    def ask_for(self, title: str, folder: Path) -> None:
        """Show what is drawn, and a folder for it unless one is filled in; then the dialog."""
        self.title.setText(title)
        if not self.folder.text():
            self.folder.setText(str(folder))
        self.say(self.note, "", "muted")
        self.show_busy(False)
        self.open()

    def show_busy(self, on: bool) -> None:
        """Show whether the flags are being made."""
        self.draw.setEnabled(not on)
        if on:
            self.say(self.note, "Looking at the layer …", "muted")

    def refuse(self, sentence: str) -> None:
        """Say why that cannot be drawn."""
        self.show_busy(False)
        self.say(self.note, sentence, "danger")

    @property
    def path(self) -> Path:
        """The folder that is filled in."""
        return expanded(self.folder.text().strip())

    def _accept(self) -> None:
        if self.folder.text().strip():
            self.wanted.emit()
        else:
            self.refuse("Choose a folder for the atlas.")

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of the atlas", str(self.path.parent))
        if path:
            self.folder.setText(path)


def _count(what: str, most: int, usual: int, name: str) -> CountBox:
    box = CountBox(what)
    box.setRange(1, most)
    box.setValue(usual)
    box.setAccessibleName(name)
    return box
