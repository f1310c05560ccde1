"""Shows one page of the guide: Markdown, its links and its images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QEvent, Qt, QUrl
from PyQt6.QtGui import (
    QImage,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
)
from PyQt6.QtWidgets import QTextBrowser, QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.help import pages
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme
from ldam_studio.gui.theme.colours import Theme

IMAGE_WIDTH = 640  # pixels; wider images are scaled down
LINE_HEIGHT = 115.0  # percent
PROPORTIONAL = 1  # QTextBlockFormat.LineHeightTypes, of which PyQt6 wants the number
CODE_LANGUAGE = QTextFormat.Property.BlockCodeLanguage.value
IMAGE = "\ufffc"  # stands for an image in a paragraph's text


class GuideBrowser(QTextBrowser):
    """A browser of Markdown files in the colours of the window.

    Links between pages are followed; other links open in the system's browser when clicked.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page = QUrl()  # Qt's own `source` is still the page before while a page is read
        self.setOpenExternalLinks(True)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAccessibleName("Page")
        self.sourceChanged.connect(self._dress)

    def show_page(self, path: Path) -> None:
        """Show the page in a file."""
        self.setSource(QUrl.fromLocalFile(str(path)))

    def path(self) -> Path:
        """Return the file of the page in sight."""
        return Path(self._page.toLocalFile())

    def code(self, language: str) -> str:
        """Return the lines of code in a language that stand on the page."""
        lines = []
        block = present(self.document()).begin()
        while block.isValid():
            if block.blockFormat().property(CODE_LANGUAGE) == language:
                lines.append(f"{block.text()}\n")
            block = block.next()
        return "".join(lines)

    def loadResource(self, kind: int, url: QUrl) -> Any:
        """Return a page's text, or an image of it, scaled down where it is too wide."""
        url = self._page.resolved(url)
        path = Path(url.toLocalFile())
        if kind == QTextDocument.ResourceType.ImageResource.value:
            image = QImage(str(path))
            if image.width() <= IMAGE_WIDTH:
                return image
            return image.scaledToWidth(IMAGE_WIDTH, Qt.TransformationMode.SmoothTransformation)
        self._page = url
        try:
            return pages.read(path)
        except StudioError as error:
            return str(error)

    def changeEvent(self, event: QEvent | None) -> None:
        """Show the page again in the colours of a new look."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange and not self._page.isEmpty():
            bar = present(self.verticalScrollBar())
            position = bar.value()
            self.reload()
            bar.setValue(position)

    def _dress(self) -> None:
        dress(present(self.document()), theme.current())


def dress(document: QTextDocument, look: Theme) -> None:
    """Give headings room, and code and tables the colours of a look.

    A style sheet would not reach them: Qt's reader of Markdown sets formats itself.
    """
    line = document.defaultFont().pointSizeF() * 1.6
    document.setDocumentMargin(line)
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        cursor.mergeBlockFormat(_change(block, look, line))
        block = block.next()
    for frame in present(document.rootFrame()).childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setBorderBrush(look.colour("outline"))
            form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            form.setCellPadding(line / 3)
            form.setBottomMargin(line / 2)
            frame.setFormat(form)


def _change(block: QTextBlock, look: Theme, line: float) -> QTextBlockFormat:
    """Return what is to be changed in the format of one paragraph."""
    change = QTextBlockFormat()
    if block.blockFormat().headingLevel():
        change.setTopMargin(line if block.blockNumber() else 0.0)
        change.setBottomMargin(line / 4)
    elif _is_code(block):
        change.setBackground(look.colour("raised"))
        change.setLeftMargin(line / 2)
        change.setRightMargin(line / 2)
        change.setTopMargin(0.0 if _is_code(block.previous()) else line / 3)
        change.setBottomMargin(0.0 if _is_code(block.next()) else line / 3)
    elif IMAGE not in block.text():
        change.setLineHeight(LINE_HEIGHT, PROPORTIONAL)
    return change


def _is_code(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence.value)
