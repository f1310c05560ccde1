"""Shows in an average how settled its pixels are: as a colour over it, or by fading."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QLinearGradient

from ldam_studio.engine.picture import Bytes, difference_scale, to_bytes
from ldam_studio.engine.settled import SIGN, TIME, Settled
from ldam_studio.gui.theme.paint import Pencil

if TYPE_CHECKING:
    from ldam_studio.engine.picture import Floats
    from ldam_studio.gui.session.model import Display
    from ldam_studio.networks.pixels import PixelSpec

LOOSE = (255, 140, 0)  # the colour of pixels that are not settled; neither grey nor a class's own
MOST = 98  # per cent of the pixels are within the scale, so that single ones do not set it
COVER = 0.9  # how much of the average it covers at most
UNKNOWN = {
    TIME: "No two samples yet",
    SIGN: "No two samples yet",
}
ALONE = "One chain alone cannot be compared"


@dataclass(frozen=True)
class Legend:
    """What a pane's colours mean; `scale` is the full colour in pixel units, None for fading."""

    words: str
    scale: float | None = None


def over_average(
    average: Floats, found: Settled, pixels: PixelSpec, display: Display, scale: float | None
) -> tuple[Bytes, Legend]:
    """Return an average (C, H, W) with how settled it is, (H, W, 3), and a legend.

    `scale` is that of `to_bytes` for the average itself.
    """
    if found.values is None:
        words = UNKNOWN.get(found.by, ALONE)
        return to_bytes(average, pixels, display.mode, scale), Legend(words)
    if found.by == SIGN:
        faded = (pixels.rest + found.values * (average - pixels.rest)).astype(np.float32)
        of = "samples" if found.chains < 2 else f"{found.chains:,} chains"
        return to_bytes(faded, pixels, display.mode, scale), Legend(f"faded: sign unsure, {of}")
    loose = np.sqrt(np.mean(np.square(found.values), axis=0))
    full = difference_scale(np.percentile(loose, MOST))
    cover = COVER * np.clip(loose / full, 0, 1)[..., None]
    plain = to_bytes(average, pixels, display.mode, scale)
    mixed: Bytes = (plain + cover * (np.array(LOOSE) - plain)).round().astype(np.uint8)
    what = "std over time" if found.by == TIME else f"std between {found.chains:,} chains"
    return mixed, Legend(what, full)


def settled_words(found: Settled | None, pixels: PixelSpec, x: int, y: int) -> str:
    """Return how settled one pixel is, at a place of the network's own size; empty if unknown."""
    if found is None or found.values is None:
        return ""
    _, height, width = found.values.shape
    column = found.values[:, y * height // pixels.height, x * width // pixels.width]
    if found.by == SIGN:
        return f"sign {100 * float(column.mean()):.0f} % settled"
    return f"std {float(np.sqrt(np.mean(np.square(column)))):.3f}"


def paint_legend(pencil: Pencil, target: QRect, legend: Legend) -> None:
    """Paint a legend into the lower left corner of an image."""
    font, ratio = pencil.font(size=0.85), pencil.ratio
    words = legend.words if legend.scale is None else f"0–{legend.scale:g} {legend.words}"
    bar = round(44 * ratio) if legend.scale is not None else 0
    pad, height = round(5 * ratio), round(19 * ratio)
    width = math.ceil(pencil.width(words, font)) + round(2 * ratio) + bar + pad * (3 if bar else 2)
    room = QRect(target.left(), target.bottom() + 1 - height, min(width, target.width()), height)
    pencil.fill(room, "surface")
    if bar:
        strip = QRect(room.left() + pad, room.top() + height // 3, bar, height - 2 * (height // 3))
        shades = QLinearGradient(QRectF(strip).topLeft(), QRectF(strip).topRight())
        shades.setColorAt(0, QColor(127, 127, 127))
        shades.setColorAt(1, QColor(*LOOSE))
        pencil.painter.fillRect(strip, shades)
    text = room.adjusted(bar + pad * (2 if bar else 1), 0, -pad, 0)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    pencil.text(text, words, "text", flags=flags, font=font)
