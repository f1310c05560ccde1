"""A row of a dialog: a field for a path, and buttons that choose one."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from ldam_studio.gui.theme import icons


class PathRow(QWidget):
    """A field for a path with a button beside it.

    Parameters
    ----------
    field
        The field.
    choose
        Called when the button is pressed.
    text
        Text of the button.
    name
        Accessible name of the button; empty for its text.
    """

    def __init__(
        self,
        field: QLineEdit,
        choose: Callable[[], object],
        text: str = "Browse…",
        name: str = "",
    ) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(field, 1)
        self.add_button(choose, text, name)

    def add_button(self, choose: Callable[[], object], text: str, name: str = "") -> None:
        """Add another button at the right."""
        button = QPushButton(icons.icon("folder"), text)
        button.setAutoDefault(False)
        if name:
            button.setAccessibleName(name)
        button.clicked.connect(lambda _on: choose())
        self._row.addWidget(button)


def folder_or_zip(field: QLineEdit, what: str) -> PathRow:
    """Return a row that chooses a folder or a zip of something, such as "photographs"."""

    def choose_folder() -> None:
        path = QFileDialog.getExistingDirectory(field.window(), f"Folder of {what}", field.text())
        if path:
            field.setText(path)

    def choose_zip() -> None:
        path, _ = QFileDialog.getOpenFileName(
            field.window(), f"Zip of {what}", field.text(), "Zip files (*.zip);;All files (*)"
        )
        if path:
            field.setText(path)

    row = PathRow(field, choose_folder, "Folder…", "Choose a folder")
    row.add_button(choose_zip, "Zip…", "Choose a zip file")
    return row
