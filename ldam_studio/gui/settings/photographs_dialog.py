"""The dialog that asks for photographs on which to measure a network's photo statistics."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.files import expanded
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import folder_or_zip
from ldam_studio.gui.qt import present

HINT = (
    "Choose photographs such as those that the network was trained on: at least 16, of which up to "
    "320 are taken evenly. It may take minutes. The session goes on meanwhile, and later sessions "
    "with the same weights use the result, too."
)


class PhotographsDialog(FittingDialog):
    """Asks for a folder or zip of photographs; when accepted, it is in `place`.

    Parameters
    ----------
    network
        Name of the network, for the title.
    suggested
        The folder or zip to begin with; empty for none.
    """

    def __init__(self, network: str, suggested: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Measure {network} on Photographs")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.place: Path | None = None
        self.path = QLineEdit(suggested)
        self.path.setPlaceholderText("Folder or zip")
        self.path.setAccessibleName("Folder or zip of photographs")
        self.path.textChanged.connect(lambda _text: self._changed())
        row = folder_or_zip(self.path, "photographs")
        label = QLabel("&Photographs")
        label.setBuddy(self.path)
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(label, row)
        self.note = Paragraph()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.measure = present(buttons.addButton("Measure", QDialogButtonBox.ButtonRole.ActionRole))
        self.measure.setDefault(True)
        self.measure.clicked.connect(lambda _on: self.go())
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout()
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.lay_out(layout, buttons, lines=38)
        self._changed()

    def go(self) -> None:
        """Accept the dialog if the folder or zip exists."""
        place = expanded(self.path.text().strip())
        if not place.exists():
            self.say(self.note, f"There is no folder or zip {place}; check the path.", "danger")
            return
        self.place = place.absolute()
        self.accept()

    def _changed(self) -> None:
        self.measure.setEnabled(bool(self.path.text().strip()))
        self.say(self.note, HINT, "muted")
