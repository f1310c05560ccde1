"""Opens a file that is dropped on the window, or says in one sentence why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject, Qt
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.opening.file_kinds import ATLAS
from ldam_studio.gui.qt import present

NOT_HERE = "Only files on this computer can be dropped here: save it first, then drop the file."
REFUSED = "file"
"""The key of the message that a file cannot be opened: the next file takes it away."""
ONE_ONLY = "Drop one file at a time, because the window shows one session."


class FileDrop(QObject):
    """Accepts a file dropped anywhere on a window.

    Parameters
    ----------
    window
        The widget that accepts drops, together with all widgets inside it.
    opened
        Called with the file; the text of a `StudioError` that it raises goes to ``refused``.
    refused
        Called with one sentence if the file cannot be opened.
    over
        Called with whether a file is held over the window that can be dropped.
    """

    def __init__(
        self,
        window: QWidget,
        opened: Callable[[Path], object],
        refused: Callable[[str], object],
        over: Callable[[bool], object],
    ) -> None:
        super().__init__(window)
        self._opened, self._refused, self._over = opened, refused, over
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Accept files that are dragged over the window, and open a file that is dropped."""
        kind = present(event).type()
        if kind in (QEvent.Type.DragEnter, QEvent.Type.DragMove):
            assert isinstance(event, QDragEnterEvent | QDropEvent)
            # A picture that is dragged out of the window is no file to open in it.
            if present(event.mimeData()).hasUrls() and event.source() is None:
                # The copy action tells the desktop that its file was not moved away.
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                self._over(True)
                return True
        elif kind == QEvent.Type.DragLeave:
            self._over(False)
        elif kind == QEvent.Type.Drop:
            assert isinstance(event, QDropEvent)
            self._over(False)
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.take(present(event.mimeData()))
            return True
        return False

    def take(self, data: QMimeData) -> None:
        """Open the dropped file, or say why it cannot be opened."""
        urls = data.urls()
        if len(urls) > 1:
            self._refused(ONE_ONLY)
            return
        if not urls or not urls[0].isLocalFile():
            self._refused(NOT_HERE)
            return
        path = Path(urls[0].toLocalFile())
        if path.is_dir() and not ATLAS.has(path):
            self._refused(
                f"{path.name} is a folder without an atlas: drop an exported picture or the folder "
                "of an atlas, or choose File, Watch Checkpoints to watch a folder of checkpoints."
            )
            return
        try:
            self._opened(path)
        except StudioError as error:
            self._refused(str(error))
