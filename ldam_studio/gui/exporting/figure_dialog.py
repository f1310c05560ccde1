"""The dialog that asks what a figure shows, how wide it is, and for its title and file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage, QPixmap, QShowEvent
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
)

from ldam_studio.errors import plain
from ldam_studio.gui.exporting.dialog import KINDS
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.quiet_wheel import leave_wheel
from ldam_studio.gui.target_row import TargetRow, folder_for
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QWidget

    from ldam_studio.export.figure import Figure

ONE_COLUMN, TWO_COLUMNS = 85, 175  # millimetres
NARROWEST, WIDEST = 20, 400
LONGEST_TITLE = 300
PREVIEW = 280  # pixels; width, and the greatest height
FILTERS = {".pdf": "PDF (*.pdf)", ".svg": "SVG (*.svg)"}


class FigureChoice(msgspec.Struct):
    """The last figure; the defaults are those of the first one."""

    what: str = "average"
    width: Annotated[int, msgspec.Meta(ge=NARROWEST, le=WIDEST)] = ONE_COLUMN
    suffix: str = ".pdf"
    folder: str = ""


@dataclass(frozen=True)
class ChosenFigure:
    """The user's choice: the kind of picture, the width in millimetres, the title, the file."""

    what: str
    width: int
    title: str
    path: Path


class FigureDialog(FittingDialog):
    """Asks for a figure, and remembers the last choice.

    Parameters
    ----------
    titles
        The usual title of each kind of picture that is available now, a key of `KINDS`.
    figure
        Returns the figure of a kind, or None if it is too large to preview; called on a thread.
    last
        Keeps the last choice.
    """

    def __init__(
        self,
        titles: Mapping[str, str],
        figure: Callable[[str], Figure | None],
        last: LastChoice[FigureChoice],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._titles, self._figure, self._last = titles, figure, last
        self._own_title = False
        self._drawing: Task | None = None
        self._drawn: ChosenFigure | None = None  # what the preview shows, or is going to
        self.setWindowTitle("Export Figure")
        self._build()
        before = last.read()
        self._suffix = before.suffix if before.suffix in FILTERS else ".pdf"
        self._folder = folder_for(before.folder)
        self._width.setValue(before.width)
        self._what.setCurrentIndex(max(0, self._what.findData(before.what)))
        self._kind_changed()

    def _build(self) -> None:
        self._what = QuietCombo()
        for what in self._titles:
            self._what.addItem(KINDS[what], what)
        self._what.setAccessibleName("Picture")
        self._what.currentIndexChanged.connect(self._kind_changed)
        self._title = QLineEdit()
        self._title.setMaxLength(LONGEST_TITLE)
        self._title.setAccessibleName("Title")
        self._title.textEdited.connect(self._name)
        self._title.textChanged.connect(self._update)
        self._width = QSpinBox()
        leave_wheel(self._width)
        self._width.setRange(NARROWEST, WIDEST)
        self._width.setSuffix(" mm")
        self._width.setAccessibleName("Width")
        self._width.valueChanged.connect(self._update)
        width = QHBoxLayout()
        width.setSpacing(8)
        width.addWidget(self._width)
        for text, value in (("One column", ONE_COLUMN), ("Two columns", TWO_COLUMNS)):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _on, value=value: self._width.setValue(value))
            width.addWidget(button)
        width.addStretch(1)
        self._target = TargetRow("Export Figure", self._complete, lambda: ";;".join(self._types()))
        self._target.changed.connect(self._can_save)
        note = Paragraph(
            "The suffix says whether it is PDF or SVG. Text stays text, pixels stay squares, and "
            "the figure carries its recipe, so that it can be replayed."
        )
        note.setProperty("role", "muted")
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(14)
        form.addRow("Picture", self._what)
        form.addRow("Title", self._title)
        form.addRow("Width", width)
        form.addRow("File", self._target)
        form.addRow("", note)
        self._preview = QLabel()
        self._preview.setAccessibleName("Preview")
        self._preview.setWordWrap(True)
        self._preview.setFixedWidth(PREVIEW)
        self._preview.setMinimumHeight(PREVIEW)
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addLayout(form, 1)
        top.addWidget(self._preview)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._save = present(buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole))
        self._save.setDefault(True)
        buttons.accepted.connect(self._accepted)
        buttons.rejected.connect(self.reject)
        self.lay_out(top, buttons, lines=56)

    def ask(self) -> ChosenFigure | None:
        """Show the dialog and return the user's choice; None if it was cancelled."""
        return self.choice() if self.exec() == QDialog.DialogCode.Accepted else None

    def choice(self) -> ChosenFigure:
        """Return the current choice."""
        title = plain(self._title.text().strip(), LONGEST_TITLE)
        return ChosenFigure(self._what.currentData(), self._width.value(), title, self._target.path)

    def _types(self) -> list[str]:
        """Return the types of files, the usual one first."""
        return sorted(FILTERS.values(), key=lambda text: text != FILTERS[self._suffix])

    def _complete(self, path: Path) -> Path:
        known = path.suffix.lower() in FILTERS
        return path if known else path.with_name(path.name + self._suffix)

    def _name(self) -> None:
        self._own_title = True

    def _kind_changed(self) -> None:
        what = self._what.currentData()
        self._target.suggest(self._folder / f"figure-{what}")
        if not self._own_title:
            self._title.setText(self._titles[what])
        self._update()

    def _update(self) -> None:
        """Draw the preview on a thread, one after the other."""
        chosen = replace(self.choice(), path=Path())  # which is not shown
        if not self.isVisible() or self._drawing is not None or chosen == self._drawn:
            return
        side, self._drawn = round(PREVIEW * self.devicePixelRatioF()), chosen
        self._drawing = Task(lambda _task: preview_of(self._figure(chosen.what), chosen, side))
        self._drawing.setObjectName("preview")
        self._drawing.done.connect(self._show)
        self._drawing.failed.connect(lambda error: self._show(str(error)))
        self._drawing.start()

    def _show(self, drawn: QImage | str) -> None:
        self._leave()
        if isinstance(drawn, str):
            self._preview.setText(drawn)
        else:
            drawn.setDevicePixelRatio(self.devicePixelRatioF())
            self._preview.setPixmap(QPixmap.fromImage(drawn))
        self._update()  # there may be another choice by now

    def _leave(self) -> None:
        if self._drawing is not None:
            self._drawing.leave()
            self._drawing = None

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw the first preview."""
        super().showEvent(event)
        self._update()

    def done(self, result: int) -> None:
        """Close the dialog; what is being drawn is abandoned."""
        super().done(result)
        self._leave()

    def _can_save(self) -> None:
        self._save.setEnabled(self._target.is_named)

    def _accepted(self) -> None:
        if not self._target.is_agreed():
            return
        chosen = self.choice()
        folder = str(chosen.path.absolute().parent)
        suffix = chosen.path.suffix.lower()
        self._last.write(FigureChoice(chosen.what, chosen.width, suffix, folder))
        self.accept()


def preview_of(figure: Figure | None, chosen: ChosenFigure, side: int) -> QImage | str:
    """Return a figure as a picture with sides of at most that many pixels, or why there is none."""
    from ldam_studio.gui.exporting.figure_page import as_image

    if figure is None:
        return "Too large for a preview"
    image = as_image(figure.called(chosen.title), chosen.width, side)
    if image.height() > side:
        image = image.scaledToHeight(side, Qt.TransformationMode.SmoothTransformation)
    return image
