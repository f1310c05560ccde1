"""The patches of real images that excite a neuron most, side by side."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QFontMetricsF

from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.explore.real_images.standing import number
from ldam_studio.gui.real_images.thumbnails import Spot, Thumbnails
from ldam_studio.gui.theme.paint import Pencil

LARGEST, SMALLEST, GAP = 132, 36, 6  # of a patch and between two, in logical pixels
FILLS = 0.2  # beyond a half, the share of a patch for which all are made smaller


class Patches(Thumbnails):
    """The best patches in rows, each above its activation; as many as there is room for."""

    def __init__(self) -> None:
        super().__init__("Real images that excite the neuron most")

    def lay_out(self, evidence: Evidence, size: QSize, ratio: float) -> list[Spot]:
        """Fill one row, or more where the panel is high."""
        line, gap = round(self._line() * ratio), round(GAP * ratio)
        most, least = round(LARGEST * ratio), round(SMALLEST * ratio)
        rows = max(1, (size.height() + gap) // (most + line + gap))
        side = min(most, (size.height() + gap) // rows - line - gap)
        side = max(least, min(side, size.width()))
        if rows == 1:
            # Somewhat smaller, where the row then has no gap at its end.
            columns = max(1, round((size.width() + gap) / (side + gap) + FILLS))
            side = max(least, min(side, (size.width() + gap) // columns - gap))
        columns = max(1, (size.width() + gap) // (side + gap))
        return [
            Spot(
                example,
                QRect(
                    position % columns * (side + gap) + 2,
                    position // columns * (side + line + gap) + 2,
                    side - 4,
                    side - 4,
                ),
            )
            for position, example in enumerate(evidence.best[: rows * columns])
        ]

    def paint(self, pencil: Pencil) -> None:
        """Write the activation below each patch."""
        line, font = round(self._line() * pencil.ratio), pencil.font(size=0.88)
        for spot in self.spots:
            below = QRect(spot.rect.x(), spot.rect.bottom() + 2, spot.rect.width(), line)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            pencil.text(below, number(spot.example.value), "muted", flags=flags, font=font)

    def _line(self) -> float:
        return QFontMetricsF(self.font()).height()
