"""Shows one page of the guide: Markdown with links and images."""

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

IMAGE_WIDTH = 560  # pixels; wider images are scaled down
LINE_HEIGHT = 115.0  # percent
PROPORTIONAL = 1  # QTextBlockFormat.LineHeightTypes.ProportionalHeight as a number
CODE_LANGUAGE = QTextFormat.Property.BlockCodeLanguage.value
IMAGE = "\ufffc"  # stands for an image in a paragraph's text


class GuideBrowser(QTextBrowser):
    """A browser for Markdown files, in the colours of the theme.

    Links between pages are followed; other links open in the system's web browser.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page = QUrl()  # while a page is read, Qt's own `source` is still the previous page
        self.setOpenExternalLinks(True)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAccessibleName("Page")
        self.sourceChanged.connect(self._dress)

    def show_page(self, path: Path) -> None:
        """Show the page in a file."""
        self.setSource(QUrl.fromLocalFile(str(path)))

    def path(self) -> Path:
        """Return the file of the current page."""
        return Path(self._page.toLocalFile())

    def code(self, language: str) -> str:
        """Return all lines of the current page that are code in this language."""
        lines = []
        block = present(self.document()).begin()
        while block.isValid():
            if block.blockFormat().property(CODE_LANGUAGE) == language:
                lines.append(f"{block.text()}\n")
            block = block.next()
        return "".join(lines)

    def loadResource(self, kind: int, url: QUrl) -> Any:
        """Return a page's text, or an image, which is scaled down if it is too wide."""
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
        """Show the page again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange and not self._page.isEmpty():
            bar = present(self.verticalScrollBar())
            position = bar.value()
            self.reload()
            bar.setValue(position)

    def _dress(self) -> None:
        dress(present(self.document()), theme.current())


def dress(document: QTextDocument, look: Theme) -> None:
    """Set the spacing of headings, and the theme's colours in code and tables.

    A style sheet would have no effect, because Qt's Markdown reader sets the formats itself.
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
    """Return the changes to the format of one paragraph."""
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
