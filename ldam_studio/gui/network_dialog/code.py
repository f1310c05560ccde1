"""The page for a network in the user's own code: file, function, and permission to run it."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from ldam_studio.files import expanded
from ldam_studio.gui.network_dialog.factories import functions_in
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo

Consent = tuple[str, int, int]  # a file, when it was changed, and its size


class OwnCode(QWidget):
    """Fields for a function in the user's file, and a box in which they agree to run it."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._agreed_to: Consent | None = None
        self.file = QLineEdit()
        self.file.setAccessibleName("Python file")
        self.file.setPlaceholderText("a Python file, or a module such as package.module")
        self.function = QuietCombo()
        self.function.setEditable(True)
        self.function.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.function.setAccessibleName("Function")
        present(self.function.lineEdit()).setPlaceholderText(
            "called without arguments; returns the torch.nn.Module"
        )
        warning = Paragraph(
            "Opening it runs the file's code on this computer with all your rights: open only code "
            "that you trust."
        )
        warning.setProperty("role", "warning")
        self.agreed = QCheckBox("I trust this code: run it")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(8)
        form.setHorizontalSpacing(14)
        form.addRow("File", PathRow(self.file, self._browse))
        form.addRow("Function", self.function)
        form.addRow(warning)
        form.addRow(self.agreed)
        self.file.textChanged.connect(self._file_changed)
        self.function.currentTextChanged.connect(self._function_changed)
        self.agreed.toggled.connect(self._agreed)
        self.setFocusProxy(self.file)

    @property
    def name(self) -> str:
        """``FILE.py:FUNCTION``; empty until both are given."""
        file, function = self.file.text().strip(), self.function.currentText().strip()
        if not file or not function:
            return ""
        return f"{expanded(file) if file.endswith('.py') else file}:{function}"

    def set_name(self, name: str) -> None:
        """Show ``FILE:FUNCTION``; without a function, the likeliest one in the file."""
        place, _, function = name.rpartition(":")
        self.file.setText(place)
        if function:
            self.function.setCurrentText(function)
        self.agreed.setChecked(False)
        # With a file given, this is all that the user still has to do.
        self.setFocusProxy(self.agreed)

    @property
    def content(self) -> tuple[str, str, Consent | None]:
        """File, function, and what the user has agreed to run; for `restore`."""
        return self.file.text(), self.function.currentText(), self._agreed_to

    def restore(self, file: str, function: str, agreed_to: Consent | None) -> None:
        """Fill in what was there before; the user's permission is for the same content."""
        self.file.setText(file)
        self.function.setCurrentText(function)
        self.agreed.setChecked(agreed_to is not None and agreed_to == stamp(self._path))

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Your own network", self.file.text(), "Python (*.py)"
        )
        if path:
            self.file.setText(path)

    def _file_changed(self) -> None:
        names = functions_in(self._path)
        self.function.blockSignals(True)
        self.function.clear()
        self.function.addItems(names)
        self.function.blockSignals(False)
        self._withdraw()
        self.changed.emit()

    def _function_changed(self) -> None:
        # Importing the file runs all of it, whichever function is called then.
        if self._agreed_to != stamp(self._path):
            self._withdraw()
        self.changed.emit()

    def _agreed(self, on: bool) -> None:
        self._agreed_to = stamp(self._path) if on else None
        self.changed.emit()

    def _withdraw(self) -> None:
        """Take back the permission: that for one file's code does not cover another's."""
        self.agreed.setChecked(False)

    @property
    def _path(self) -> Path:
        return expanded(self.file.text().strip())


def stamp(path: Path) -> Consent:
    """Return what differs once a file has another content; a module's name is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size
