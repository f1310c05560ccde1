"""A row of a dialog for the file that will be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QStandardPaths, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QLineEdit, QMessageBox

from ldam_studio.files import expanded, free_path, is_there
from ldam_studio.gui.path_row import PathRow


class TargetRow(PathRow):
    """Suggests a file until the user names one, and asks before anything is replaced.

    Parameters
    ----------
    title
        Title of the questions and of the file dialog.
    complete
        Returns the path with a suffix, given what the user wrote.
    filters
        Returns the types of files that the file dialog offers.
    """

    changed = pyqtSignal()

    def __init__(
        self, title: str, complete: Callable[[Path], Path], filters: Callable[[], str]
    ) -> None:
        self.field = QLineEdit()
        super().__init__(self.field, self._browse)
        self._title, self._complete, self._filters = title, complete, filters
        self._own = False
        self.field.setAccessibleName("File")
        self.field.textEdited.connect(self._name)
        self.field.textChanged.connect(lambda _text: self.changed.emit())

    @property
    def is_named(self) -> bool:
        """Whether the file has a name."""
        return bool(self.field.text().strip())

    @property
    def path(self) -> Path:
        """The file, with a suffix."""
        path = expanded(self.field.text().strip())
        return self._complete(path) if path.name else path

    def suggest(self, path: Path) -> None:
        """Suggest a file, or the first free name after it, unless the user has named one."""
        if not self._own:
            self.field.setText(str(free_path(self._complete(path))))

    def is_agreed(self) -> bool:
        """Return whether the file may be written; ask where it or no folder for it is there."""
        path = self.path
        if is_there(path) and not self._ask(f"{path.name} is already there. Replace it?"):
            return False
        folder = path.parent
        return is_there(folder) or self._ask(f"There is no folder {folder}. Make it?")

    def _name(self) -> None:
        self._own = True

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            f"{self._title} To",
            str(self.path),
            self._filters(),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self._own = True
            self.field.setText(path)

    def _ask(self, question: str) -> bool:
        button = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self, self._title, question, button.Yes | button.No, button.No
        )
        return answer == button.Yes


def folder_for(last: str) -> Path:
    """Return the folder of the last file, or that for pictures if there was none or it is gone."""
    if last and Path(last).is_dir():
        return Path(last)
    location = QStandardPaths.StandardLocation.PicturesLocation
    folder = Path(QStandardPaths.writableLocation(location) or Path.home())
    return folder if folder.is_dir() else Path.home()
