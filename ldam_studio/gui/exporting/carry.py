"""Pictures for the clipboard and for dragging out: PNG files with their recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData, QTemporaryDir, QUrl
from PyQt6.QtGui import QImage

from ldam_studio.errors import StudioError
from ldam_studio.files import free_path

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.shown import Shown


class Carrier:
    """Writes pictures to a folder that lasts as long as this object.

    Parameters
    ----------
    shown
        Returns what to show of a session, given the kind of picture and the zoom.
    """

    def __init__(self, shown: Callable[[str, int], Shown]) -> None:
        self._shown = shown
        self._folder: QTemporaryDir | None = None

    def carry(self, state: SessionState, what: str, zoom: int) -> QMimeData:
        """Return a picture as an image, and as the file with its recipe, with what that needs.

        Raises
        ------
        StudioError
            If there is nothing to show yet, or the file cannot be written.
        """
        from ldam_studio.export.exporting import export

        if self._folder is None:
            self._folder = QTemporaryDir()
        if not self._folder.isValid():
            raise StudioError("There is no room for temporary files; free some space.")
        path = free_path(Path(self._folder.path()) / f"{what}.png")
        done = export(state, self._shown(what, zoom), path)
        # The picture goes with the files that its replay needs.
        files = [path, *filter(None, [done.sidecar]), *done.weights]
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
        data.setImageData(QImage(str(path)))
        return data
