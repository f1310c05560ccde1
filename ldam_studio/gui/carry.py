"""Pictures for the clipboard and for dragging out: PNG files with their recipes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData, QTemporaryDir, QUrl
from PyQt6.QtGui import QImage

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.shown import Shown


@dataclass(frozen=True)
class Carried:
    """A picture as an image, and as the file with its recipe, with the files that it needs."""

    image: QImage
    files: tuple[Path, ...]

    def data(self) -> QMimeData:
        """Return what a clipboard or a drag takes."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(file)) for file in self.files])
        data.setImageData(self.image)
        return data


def carried(state: SessionState, shown: Shown, folder: Path) -> Carried:
    """Write a picture to a folder; may take long.

    Raises
    ------
    StudioError
        If there is nothing to show yet, or the file cannot be written.
    """
    from ldam_studio.export.exporting import export

    path = folder / f"{shown.what}.png"
    done = export(state, shown, path)
    # The picture goes with the files that its replay needs.
    files = (path, *filter(None, [done.sidecar]), *done.weights)
    return Carried(QImage(str(path)), files)


class CarriedFolder:
    """A temporary folder for pictures, until `remove`."""

    def __init__(self) -> None:
        self._folder: QTemporaryDir | None = None

    def place(self) -> Path:
        """Return a new folder for one picture.

        Raises
        ------
        StudioError
            If it cannot be made.
        """
        folder = self._folder
        # Systems remove old temporary files while the studio runs on.
        if folder is None or not (folder.isValid() and Path(folder.path()).is_dir()):
            folder = self._folder = QTemporaryDir()
        if folder.isValid():
            with suppress(OSError):  # which may be full
                return Path(mkdtemp(dir=folder.path()))
        raise StudioError("There is no room for temporary files; free some space.")

    def remove(self) -> None:
        """Remove the folder with all pictures; they may come with copies of large weights."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None
