"""Draws the curves and marks of a timeline into a picture that is kept while the user scrubs.

Each mark is a vertical line. Marks on the same pixel are drawn once, so the cost is bounded by the
width of the window, however many checkpoints there are.
"""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QSize, Qt
from PyQt6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from ldam_studio.gui.theme import theme
from ldam_studio.gui.watch.timeline import Timeline, Values

CURVES = {"loss": "warning", "accuracy": "success"}
"""The theme's colour of each curve, and of its value in the text above."""


def draw(timeline: Timeline, xs: Values, size: QSize, marks: int, ratio: float) -> QPixmap:
    """Draw a timeline in the colours of the current theme.

    Parameters
    ----------
    timeline
        The checkpoints with their losses and accuracies.
    xs
        Horizontal position of each checkpoint, in device pixels (n,).
    size
        Size of the picture, in device pixels.
    marks
        Height of the marks at the lower edge, in device pixels; the curves fill the rest.
    ratio
        Device pixels per logical pixel.
    """
    picture = QPixmap(size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    top = size.height() - marks
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for name, token in CURVES.items():
        known = np.isfinite(getattr(timeline, name))
        if known.sum() > 1:
            x, share = _curve(xs[known], getattr(timeline, name)[known], name == "loss")
            y = ratio + (1 - share) * (top - 3 * ratio)
            painter.setPen(QPen(theme.current().colour(token), 1.3 * ratio))
            points = zip(x.tolist(), y.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    _draw_marks(painter, xs, "control", top, size.height(), max(1, round(ratio)))
    bad = [c.path in timeline.troubles for c in timeline.checkpoints] if timeline.troubles else []
    if any(bad):
        _draw_marks(painter, xs[bad], "danger", top, size.height(), round(3 * ratio))
    painter.end()
    return picture


def _draw_marks(
    painter: QPainter, xs: Values, token: str, top: int, bottom: int, thick: int
) -> None:
    painter.setPen(QPen(theme.current().colour(token), thick))
    middles = (np.unique(xs) + thick / 2).tolist()
    for x in middles:
        painter.drawLine(QLineF(x, top, x, bottom))


def _curve(x: Values, y: Values, falls: bool) -> tuple[Values, Values]:
    """Return one point per two pixels: its position, and its height from 0 (least) to 1 (most).

    A curve that `falls` over powers of ten, such as a loss, is drawn on a logarithmic scale.
    """
    if falls and (y > 0).all():
        y = np.log(y)
    _columns, inverse, counts = np.unique(x // 2, return_inverse=True, return_counts=True)
    x = np.bincount(inverse, weights=x) / counts
    y = np.bincount(inverse, weights=y) / counts
    low, high = float(y.min()), float(y.max())
    return x, (y - low) / (high - low) if high > low else np.full_like(y, 0.5)
