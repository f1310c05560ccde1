"""Painting in whole device pixels, in the colours of the current theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPen, QTransform
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.theme import theme

LEFT, MIDDLE = Qt.TextElideMode.ElideLeft, Qt.TextElideMode.ElideMiddle
RIGHT = Qt.TextElideMode.ElideRight


@dataclass(frozen=True)
class Badge:
    """A word in a rounded box; `token` names its colour in the theme."""

    text: str
    token: str = "muted"


def qimage(rgb: NDArray[np.uint8]) -> QImage:
    """Return bytes of shape (H, W, 3) as an image that owns its pixels, in Qt's fastest format."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    # PyQt6 takes any buffer, so that nothing is copied here; its stubs only know bytes.
    data = cast(bytes, rgb.data)
    image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def logical(part: QRect, ratio: float) -> QRect:
    """Return the smallest rectangle in logical pixels that covers one in device pixels."""
    return QRectF(
        part.x() / ratio, part.y() / ratio, part.width() / ratio, part.height() / ratio
    ).toAlignedRect()


class Pencil:
    """Paints on a widget in device pixels; whole numbers are the edges of pixels.

    At a display scaling of 1.25 or 1.5, a widget may begin between two device pixels. The origin is
    then moved to the nearest edge, because pixels of images would otherwise differ in size.
    """

    def __init__(self, widget: QWidget) -> None:
        self.painter = QPainter(widget)
        self.ratio = widget.devicePixelRatioF()
        self._font = QFont(widget.font())
        base = self.painter.deviceTransform()
        across, down = base.m11(), base.m22()
        shift_x = (round(base.dx()) - base.dx()) / across
        shift_y = (round(base.dy()) - base.dy()) / down
        self.painter.setWorldTransform(QTransform(1 / across, 0, 0, 1 / down, shift_x, shift_y))

    def font(self, *, bold: bool = False, size: float = 1.0) -> QFont:
        """Return the widget's font for painting in device pixels."""
        font = QFont(self._font)
        pixels = QFontMetricsF(font).fontDpi() / 72 * font.pointSizeF()
        font.setPixelSize(max(1, round(pixels * self.ratio * size)))
        font.setBold(bold)
        return font

    def width(self, text: str, font: QFont | None = None) -> float:
        """Return the width of a line of text in device pixels."""
        return QFontMetricsF(font or self.font()).horizontalAdvance(text)

    def fill(self, part: QRect, token: str) -> None:
        """Fill a rectangle."""
        self.painter.fillRect(part, theme.current().colour(token))

    def outline(self, part: QRect, token: str, width: int = 1) -> None:
        """Draw a rectangle's border, inside the rectangle."""
        pixels = max(1, round(width * self.ratio))
        pen = QPen(theme.current().colour(token), pixels)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = pixels / 2
        self.painter.drawRect(QRectF(part).adjusted(inset, inset, -inset, -inset))

    def text(
        self,
        part: QRect,
        text: str,
        token: str,
        *,
        flags: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignCenter,
        font: QFont | None = None,
        elide: Qt.TextElideMode = RIGHT,
    ) -> float:
        """Draw a line of text, elided if it does not fit; return its width."""
        font = font or self.font()
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(text, elide, part.width())
        self.painter.setFont(font)
        self.painter.setPen(theme.current().colour(token))
        self.painter.drawText(QRectF(part), flags, text)
        return metrics.horizontalAdvance(text)

    def paragraph(self, part: QRect, text: str, token: str) -> None:
        """Draw text centred in a rectangle, wrapped onto as many lines as it needs."""
        inset = 10 * self.ratio
        inner = QRectF(part).adjusted(inset, inset, -inset, -inset)
        self.painter.setFont(self.font())
        self.painter.setPen(theme.current().colour(token))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        self.painter.drawText(inner, flags, text)

    def badge_width(self, badge: Badge) -> float:
        """Return the width of a badge."""
        return self.width(badge.text, self.font(size=0.88)) + 14 * self.ratio

    def badge(self, room: QRect, badge: Badge) -> int:
        """Draw a badge at the right end of `room`; return its left edge."""
        font = self.font(size=0.88)
        metrics = QFontMetricsF(font)
        width = self.badge_width(badge)
        height = metrics.height() + 4 * self.ratio
        pill = QRectF(room.right() - width, room.center().y() - height / 2, width, height)
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(theme.current().colour(badge.token, 40))
        self.painter.drawRoundedRect(pill, height / 2, height / 2)
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.painter.setFont(font)
        self.painter.setPen(theme.current().colour(badge.token))
        self.painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, badge.text)
        return int(pill.left())
