"""The page for a network in the user's own code: file, function, and permission to run it."""

from __future__ import annotations

import ast
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

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.qt import present

LARGEST_CODE = 100_000  # bytes; searching a larger file for functions would freeze the window


class OwnCode(QWidget):
    """Fields for a function in the user's file, and a box in which they agree to run it."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.file = QLineEdit()
        self.file.setAccessibleName("Python file")
        self.file.setPlaceholderText("a Python file, or a module such as package.module")
        self.function = QComboBox()
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
        self.function.currentTextChanged.connect(self._changed)
        self.agreed.toggled.connect(lambda _on: self.changed.emit())
        self.setFocusProxy(self.file)

    @property
    def name(self) -> str:
        """``FILE.py:FUNCTION``; empty until both are given."""
        file, function = self.file.text().strip(), self.function.currentText().strip()
        if not file or not function:
            return ""
        return f"{Path(file).expanduser() if file.endswith('.py') else file}:{function}"

    def set_name(self, name: str) -> None:
        """Show ``FILE:FUNCTION``; without a function, the likeliest one in the file."""
        place, _, function = name.rpartition(":")
        self.file.setText(place)
        if function:
            self.function.setCurrentText(function)
        self.agreed.setChecked(False)
        # With a file given, this is all that the user still has to do.
        self.setFocusProxy(self.agreed)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Your own network", self.file.text(), "Python (*.py)"
        )
        if path:
            self.file.setText(path)

    def _file_changed(self) -> None:
        names = functions_in(Path(self.file.text().strip()).expanduser())
        self.function.blockSignals(True)
        self.function.clear()
        self.function.addItems(names)
        self.function.blockSignals(False)
        self._changed()

    def _changed(self) -> None:
        # Permission for one file's code does not cover another's.
        self.agreed.setChecked(False)
        self.changed.emit()


def functions_in(path: Path) -> list[str]:
    """Return the names of a file's top-level functions and classes, without running the file.

    Functions without required arguments come first.
    """
    try:
        if path.suffix != ".py":
            return []
        tree = ast.parse(read_bytes(path, LARGEST_CODE))
    except (StudioError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # opening the file will report what is wrong
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = [node.name for node in tree.body if isinstance(node, kinds)]
    # A function without required arguments is more likely to return the network.
    free = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and _is_free(n)}
    return sorted((n for n in names if not n.startswith("_")), key=lambda n: n not in free)


def _is_free(function: ast.FunctionDef) -> bool:
    given = function.args
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return required == 0 and None not in given.kw_defaults
