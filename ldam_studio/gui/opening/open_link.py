"""The dialog that opens a link."""

from __future__ import annotations

from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from ldam_studio.errors import plain
from ldam_studio.export.links import MOST_READ, is_link
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.opening.pictures import read_link
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task

EMPTY = "Paste a link that Edit ▸ Copy Link made, here or on another computer."


class LinkDialog(FittingDialog):
    """Asks for a link, and says what it shows; one on the clipboard is filled in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open Link")
        self._field = QLineEdit()
        self._field.setMaxLength(MOST_READ)
        self._field.setAccessibleName("Link")
        self._field.setPlaceholderText("ldam:…")
        self._field.textChanged.connect(self._look)
        self._note = Paragraph()
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(14)
        form.addRow("Link", self._field)
        form.addRow("", self._note)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._open = present(
            self._buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        )
        self._open.setDefault(True)
        self._task: Task | None = None
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.lay_out(form, self._buttons, lines=40)
        there = present(QGuiApplication.clipboard()).text()
        self._answer(EMPTY, "muted")
        if is_link(there):
            link = "".join(there.split())
            self._field.setText(link)
            # Pasting takes its place; its beginning is in sight.
            self._field.setSelection(len(link), -len(link))

    def ask(self) -> str | None:
        """Show the dialog and return the link; None if it was cancelled."""
        return self._field.text() if self.exec() == QDialog.DialogCode.Accepted else None

    def done(self, result: int) -> None:
        """Close the dialog; what is still being read does not matter any more."""
        self._leave()
        super().done(result)

    def _look(self, text: str) -> None:
        """Read what the text is a link to: a few letters may hold a very long session."""
        self._leave()
        self._answer("Reading the link…" if text.strip() else EMPTY, "muted")
        if text.strip():
            self._task = Task(lambda _task: plain(f"{read_link(text).words}."))
            self._task.setObjectName("link")
            self._task.done.connect(lambda words: self._answer(words, "muted", is_read=True))
            self._task.failed.connect(lambda error: self._answer(str(error), "danger"))
            self._task.start()

    def _leave(self) -> None:
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _answer(self, words: str, role: str, *, is_read: bool = False) -> None:
        """Say what the text is a link to, or what is wrong with it."""
        self._open.setEnabled(is_read)
        self.say(self._note, words, role)
