"""The dialog that asks what to export, how large, and to which file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.export.formats.table import FORMATS, with_suffix
from ldam_studio.export.shown import MOST_PIXELS
from ldam_studio.gui.exporting.last_choice import Choice
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.preview import Preview
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_wheel import leave_wheel
from ldam_studio.gui.target_row import TargetRow, folder_for

KINDS = {
    "average": "Running average of the front chain",
    "raw": "Raw sample of the front chain",
    "strip": "Raw samples of all chains as a grid",
    "averages": "Running averages of all chains as a grid",
}
MOST_ZOOM = 32
MOST_SIDE = 16_384  # pixels; few programs open larger pictures


@dataclass(frozen=True)
class ExportChoice:
    """The user's choice.

    Attributes
    ----------
    what
        A key of `KINDS`.
    zoom
        Side of the square that each image pixel becomes, in pixels.
    path
        The file to write.
    photographs
        Whether the recipe holds the photographs that were brought into the session.
    """

    what: str
    zoom: int
    path: Path
    photographs: bool = False


class ExportDialog(FittingDialog):
    """Asks what to export, and remembers the last choice.

    Parameters
    ----------
    sizes
        Width and height in pixels at zoom 1, for each kind of picture that is available now.
    preview
        Returns the picture of a kind as bytes of shape (H, W, 3), or None.
    last
        Keeps the last choice; None does not keep it.
    note
        A sentence about the recipe in the picture.
    photographs
        Whether there are photographs that the recipe could hold.
    """

    def __init__(
        self,
        sizes: Mapping[str, tuple[int, int]],
        preview: Callable[[str], np.ndarray | None] | None = None,
        last: LastChoice[Choice] | None = None,
        parent: QWidget | None = None,
        note: str = "",
        *,
        photographs: bool = False,
    ) -> None:
        super().__init__(parent)
        self._note = note
        self._inside: QCheckBox | None = None
        if photographs:
            self._inside = QCheckBox("Put the photograph inside the recipe")
            self._inside.setToolTip(
                "Anybody can then replay the picture; otherwise the recipe has the photograph's "
                "hash, and its file is needed"
            )
        self._sizes = dict(sizes)
        self._picture = preview or (lambda what: None)
        self._last = LastChoice(Choice()) if last is None else last
        self.setWindowTitle("Export Picture")
        self._build()
        self._recall()

    # -- building -------------------------------------------------------------------------------

    def _build(self) -> None:
        self._kinds = QButtonGroup(self)
        choices = QVBoxLayout()
        choices.setSpacing(6)
        self._radios: dict[str, QRadioButton] = {}
        for number, (what, text) in enumerate(KINDS.items()):
            radio = QRadioButton(text)
            if what not in self._sizes:
                radio.setEnabled(False)
                radio.setToolTip("There are no samples in the average yet")
            self._kinds.addButton(radio, number)
            self._radios[what] = radio
            choices.addWidget(radio)
        self._kinds.buttonToggled.connect(self._kind_changed)
        self._zoom = QSpinBox()
        leave_wheel(self._zoom)
        self._zoom.setRange(1, MOST_ZOOM)
        self._zoom.setSuffix(" ×")
        self._zoom.setAccessibleName("Zoom")
        self._zoom.setToolTip("Side of the square that each pixel becomes, in pixels")
        self._zoom.valueChanged.connect(self._update)
        self._size = QLabel()
        self._size.setProperty("role", "muted")
        zoom = QHBoxLayout()
        zoom.setSpacing(10)
        zoom.addWidget(self._zoom)
        zoom.addWidget(self._size, 1)
        self._target = TargetRow(
            "Export Picture", with_suffix, lambda: ";;".join(row.filter for row in FORMATS.values())
        )
        self._target.changed.connect(self._update)
        note = Paragraph(self._note)
        note.setProperty("role", "muted")
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(14)
        form.addRow("Picture", choices)
        form.addRow("Zoom", zoom)
        form.addRow("File", self._target)
        if self._inside is not None:
            form.addRow("", self._inside)
        form.addRow("", note)
        self._preview = Preview()
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addLayout(form, 1)
        top.addWidget(self._preview)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._save = present(
            self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        )
        self._save.setDefault(True)
        self._buttons.accepted.connect(self._accepted)
        self._buttons.rejected.connect(self.reject)
        self.lay_out(top, self._buttons, lines=52)

    # -- the choice -------------------------------------------------------------------------------

    def ask(self) -> ExportChoice | None:
        """Show the dialog and return the user's choice; None if it was cancelled."""
        return self.choice() if self.exec() == QDialog.DialogCode.Accepted else None

    def choice(self) -> ExportChoice:
        """Return the current choice."""
        inside = self._inside is not None and self._inside.isChecked()
        return ExportChoice(self._what(), self._zoom.value(), self._target.path, inside)

    def _what(self) -> str:
        return list(KINDS)[self._kinds.checkedId()]

    def _recall(self) -> None:
        last = self._last.read()
        self._folder = folder_for(last.folder)
        what = last.what if last.what in self._sizes else next(iter(self._sizes))
        self._zoom.setValue(last.zoom)
        self._radios[what].setChecked(True)

    def _remember(self) -> None:
        chosen = self.choice()
        self._last.write(Choice(chosen.what, chosen.zoom, str(chosen.path.absolute().parent)))

    # -- inside -----------------------------------------------------------------------------------

    def _kind_changed(self, _button: object, checked: bool) -> None:
        if not checked:
            return
        what = self._what()
        self._target.suggest(self._folder / what)
        width, height = self._sizes[what]
        most = min(MOST_SIDE // max(width, height), isqrt(MOST_PIXELS // (width * height)))
        self._zoom.setMaximum(max(1, min(MOST_ZOOM, most)))
        self._preview.show_image(self._picture(what))
        self._update()

    def _update(self) -> None:
        if self._kinds.checkedId() < 0:
            return
        width, height = self._sizes[self._what()]
        zoom = self._zoom.value()
        self._size.setText(f"{width * zoom:,} × {height * zoom:,} pixels")
        self._save.setEnabled(self._target.is_named)

    def _accepted(self) -> None:
        if self._target.is_agreed():
            self._remember()
            self.accept()
