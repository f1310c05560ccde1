"""Drawing a figure as PDF or SVG, with text that stays text and pixels that stay squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from PyQt6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, QSize, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPageSize, QPainter, QPdfWriter, QPen
from PyQt6.QtSvg import QSvgGenerator

from ldam_studio import __version__
from ldam_studio.engine.picture import Bytes, enlarge
from ldam_studio.export.links import packed
from ldam_studio.gui.theme.paint import qimage
from ldam_studio.progress import tell

if TYPE_CHECKING:
    from ldam_studio.export.figure import Figure, Panel, Scale
    from ldam_studio.export.recipe import Recipe

DPI = 720
"""Units of the layout in an inch: ten in a point, so that metrics of fonts are exact."""
MM = DPI / 25.4
POINT = DPI / 72
DENSE = 300
"""Pixels in an inch that a picture has at least, so that viewers which smooth it leave squares."""
MARGIN, GAP, CELL_GAP, BAR, WIDEST_BAR = 0.5 * MM, 3 * MM, 0.7 * MM, 2 * MM, 45 * MM
TITLE, HEADING, LABEL, NUMBER, NOTE = (size * POINT for size in (9, 8, 6.5, 6.5, 6))
BLACK, GREY = "#000000", "#555555"
FAMILIES = ["Helvetica", "Arial", "Nimbus Sans", "Liberation Sans", "DejaVu Sans"]
LEFT, CENTRE, RIGHT = (
    Qt.AlignmentFlag.AlignLeft,
    Qt.AlignmentFlag.AlignHCenter,
    Qt.AlignmentFlag.AlignRight,
)


@dataclass(frozen=True)
class Words:
    """A text in its place."""

    place: QRectF
    text: str
    size: float
    colour: str = BLACK
    bold: bool = False
    flags: int = 0


@dataclass
class Page:
    """A laid-out figure: its size, its texts, pictures (H, W, 3) and frames in their places."""

    width: float
    height: float = MARGIN
    words: list[Words] = field(default_factory=list)
    pictures: list[tuple[QRectF, Bytes]] = field(default_factory=list)
    frames: list[QRectF] = field(default_factory=list)

    def write(
        self,
        text: str,
        size: float,
        colour: str = BLACK,
        *,
        left: float = MARGIN,
        top: float | None = None,
        width: float | None = None,
        bold: bool = False,
    ) -> float:
        """Write a text that breaks into lines, at the bottom unless `top` says where.

        Returns the lower edge of the text.
        """
        top = self.height if top is None else top
        width = self.width - 2 * MARGIN if width is None else width
        flags = LEFT.value | Qt.TextFlag.TextWordWrap.value
        metrics = QFontMetricsF(font(size, bold=bold))
        if any(metrics.horizontalAdvance(word) > width for word in text.split()):
            flags = LEFT.value | Qt.TextFlag.TextWrapAnywhere.value
        room = QRectF(0, 0, width, 1e7)
        height = metrics.boundingRect(room, flags, text).height()
        self.words.append(Words(QRectF(left, top, width, height), text, size, colour, bold, flags))
        return top + height


def font(size: float, *, bold: bool = False) -> QFont:
    """Return the font of a figure; the size is in units of the layout."""
    made = QFont(FAMILIES)
    made.setStyleHint(QFont.StyleHint.SansSerif)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    made.setPixelSize(round(size))
    made.setBold(bold)
    return made


def lay_out(figure: Figure, millimetres: float) -> Page:
    """Lay a figure out at a width."""
    page = Page(millimetres * MM)
    if figure.title:
        page.height = page.write(figure.title, TITLE, bold=True) + 1.2 * MM
    inner = page.width - 2 * MARGIN
    if figure.is_row:
        count = len(figure.panels)
        width = (inner - GAP * (count - 1)) / count
        lefts = [MARGIN + number * (width + GAP) for number in range(count)]
        tops = [page.height] * count
        page.height = _panels(page, figure.panels, lefts, tops, width)
    else:
        for panel in figure.panels:
            page.height = _panels(page, [panel], [MARGIN], [page.height], inner) + GAP / 2
    page.height += 1.2 * MM
    for note in figure.notes:
        page.height = page.write(note, NOTE, GREY)
    page.height = ceil(page.height + MARGIN)
    return page


def _panels(
    page: Page, panels: Sequence[Panel], lefts: Sequence[float], tops: Sequence[float], width: float
) -> float:
    """Lay panels out side by side, with their pictures at one height; return the lower edge."""
    starts = [
        page.write(panel.title, HEADING, left=left, top=top, width=width) + 0.5 * MM
        if panel.title
        else top
        for panel, left, top in zip(panels, lefts, tops, strict=True)
    ]
    start = max(starts)
    return max(
        _panel(page, panel, left, start, width) for panel, left in zip(panels, lefts, strict=True)
    )


def _panel(page: Page, panel: Panel, left: float, top: float, width: float) -> float:
    columns = panel.columns
    side = (width - CELL_GAP * (columns - 1)) / columns
    rows, across = panel.pictures[0].shape[:2]
    high = side * rows / across
    metrics = QFontMetricsF(font(LABEL))
    for first in range(0, len(panel.pictures), columns):
        row = slice(first, first + columns)
        labels = [
            metrics.elidedText(label, Qt.TextElideMode.ElideRight, side)
            for label in panel.labels[row]
        ]
        if any(label not in ("", "…") for label in labels):
            for column, label in enumerate(labels):
                place = QRectF(left + column * (side + CELL_GAP), top, side, metrics.height())
                page.words.append(Words(place, label, LABEL, flags=CENTRE.value))
            top += metrics.height() + 0.2 * MM
        for column, picture in enumerate(panel.pictures[row]):
            place = QRectF(left + column * (side + CELL_GAP), top, side, high)
            page.pictures.append((place, picture))
        top += high + CELL_GAP
    top += MM - CELL_GAP
    return top if panel.scale is None else _bar(page, panel.scale, left, top, width)


def _bar(page: Page, scale: Scale, left: float, top: float, width: float) -> float:
    """Lay a scale of colours out; return its lower edge."""
    long = min(width, WIDEST_BAR)
    page.pictures.append((QRectF(left, top + 0.5 * MM, long, BAR), scale.colours))
    page.frames.append(QRectF(left, top + 0.5 * MM, long, BAR))
    top += BAR + 0.8 * MM
    height = QFontMetricsF(font(NUMBER)).height()
    for text, flag in zip(scale.ends, (LEFT, CENTRE, RIGHT), strict=True):
        place = QRectF(left, top, long, height)
        page.words.append(Words(place, text, NUMBER, flags=flag.value))
    return page.write(scale.caption, NOTE, GREY, left=left, top=top + height, width=width)


def as_pdf(figure: Figure, millimetres: float, recipe: Recipe) -> bytes:
    """Return a figure as a PDF page of its size, with the recipe in its metadata."""
    page = lay_out(figure, millimetres)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    size = QSizeF(page.width / POINT, page.height / POINT)
    exact = QPageSize.SizeMatchPolicy.ExactMatch
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", exact))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setTitle(figure.title)
    writer.setCreator(f"LDAM Studio {__version__}")
    writer.setDocumentXmpMetadata(_metadata(figure.title, recipe).encode())
    _draw(QPainter(writer), page)
    return bytes(buffer.data().data())


def as_svg(figure: Figure, millimetres: float, recipe: Recipe) -> bytes:
    """Return a figure as SVG, with the recipe in its metadata."""
    page = lay_out(figure, millimetres)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QSvgGenerator()
    writer.setOutputDevice(buffer)
    writer.setResolution(DPI)
    writer.setSize(QSize(round(page.width), round(page.height)))
    writer.setViewBox(QRectF(0, 0, round(page.width), round(page.height)))
    writer.setTitle(figure.title)
    writer.setDescription(f"LDAM Studio {__version__}")
    _draw(QPainter(writer), page)
    metadata = f"<metadata>\n{_described(figure.title, recipe)}\n</metadata>\n<defs>"
    return bytes(buffer.data().data()).replace(b"<defs>", metadata.encode(), 1)


def as_image(figure: Figure, millimetres: float, width: int) -> QImage:
    """Return a figure as a picture of that many pixels' width, to look at."""
    page = lay_out(figure, millimetres)
    scale = width / page.width
    image = QImage(width, max(1, round(page.height * scale)), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.scale(scale, scale)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    _draw(painter, page, ceil(width / (millimetres / 25.4)))
    return image


WRITERS = {".pdf": as_pdf, ".svg": as_svg}


def _draw(painter: QPainter, page: Page, dense: int = DENSE) -> None:
    hint = QPainter.RenderHint
    painter.setRenderHint(hint.LosslessImageRendering)
    painter.setRenderHint(hint.SmoothPixmapTransform, False)
    try:
        painter.fillRect(QRectF(0, 0, page.width, page.height), QColor("white"))
        for number, (place, picture) in enumerate(page.pictures):
            tell("drawing the figure", number, len(page.pictures))
            inches = place.width() / DPI
            zoom = max(1, ceil(dense * inches / picture.shape[1]))
            painter.drawImage(place, qimage(enlarge(picture, zoom)))
        painter.setPen(QPen(QColor(GREY), 0.3 * POINT))
        for frame in page.frames:
            painter.drawRect(frame)
        for words in page.words:
            painter.setFont(font(words.size, bold=words.bold))
            painter.setPen(QColor(words.colour))
            painter.drawText(words.place, words.flags | Qt.TextFlag.TextDontClip.value, words.text)
    finally:
        painter.end()


def _metadata(title: str, recipe: Recipe) -> str:
    """Return an XMP packet, as PDF files have it."""
    return (
        '<?xpacket begin="\N{ZERO WIDTH NO-BREAK SPACE}" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n{_described(title, recipe)}\n</x:xmpmeta>\n'
        '<?xpacket end="w"?>'
    )


def _described(title: str, recipe: Recipe) -> str:
    """Return a description in RDF, whose source is the recipe as a link."""
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"\n'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">\n<rdf:Description rdf:about="">\n'
        f"<dc:source>{packed(recipe)}</dc:source>\n"
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{escape(title)}</rdf:li></rdf:Alt></dc:title>\n"
        "</rdf:Description>\n</rdf:RDF>"
    )
