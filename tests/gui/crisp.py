"""Run as a program: paint the canvas and the strip at QT_SCALE_FACTOR and check every pixel.

The scaling of a display is fixed when an application starts, so each scaling is a process.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget

from ldam_studio.engine.picture import to_bytes
from ldam_studio.gui.canvas.canvas import Canvas
from ldam_studio.gui.canvas.strip_area import StripArea
from ldam_studio.gui.session.model import Display
from ldam_studio.networks.pixels import PixelSpec

PIXELS = PixelSpec(1, 28, 28, (0.0,), (1.0,))


def bytes_of(image: QImage) -> np.ndarray:
    """Return (height, width) grey levels in device pixels."""
    image = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
    # The image owns the memory and goes when this function ends.
    return rows.reshape(image.height(), image.bytesPerLine())[:, : image.width()].copy()


def find(screen: np.ndarray, picture: np.ndarray, scale: int) -> list[tuple[int, int]]:
    """Return where `picture` (H, W) lies on the screen, each pixel a block of scale x scale."""
    wanted = picture.repeat(scale, 0).repeat(scale, 1)
    height, width = wanted.shape
    first = wanted[0]
    found = []
    for top in range(screen.shape[0] - height + 1):
        row = screen[top]
        for left in np.flatnonzero(row[: len(row) - width + 1] == first[0]):
            if (row[left : left + width] == first).all() and (
                screen[top : top + height, left : left + width] == wanted
            ).all():
                found.append((int(left), top))
    return found


def main() -> int:
    """Paint, compare, print what was found."""
    app = QApplication(sys.argv[:1])
    rng = np.random.default_rng(0)
    raw = rng.random((1, 28, 28), dtype=np.float32)
    average = rng.random((1, 28, 28), dtype=np.float32)
    thumbs = np.stack([to_bytes(image, PIXELS, "image") for image in (raw, average)])
    lane = SimpleNamespace(raw=raw, average=average, front=0, field=None, rest=None)
    frame = SimpleNamespace(lanes=(lane,))
    holder = QWidget()
    holder.resize(703, 447)
    canvas, strip = Canvas(), StripArea()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(7, 5, 3, 9)  # begins between two device pixels at 1.25 and 1.5
    layout.addWidget(canvas, 1)
    strip.setFixedHeight(91)
    layout.addWidget(strip)
    strip.strip.set_chains(("a", "b"))
    strip.set_front(1)
    holder.show()
    app.processEvents()
    canvas.show_frame(frame, Display(), PIXELS)
    strip.strip.show_thumbnails(thumbs)
    app.processEvents()
    screen = bytes_of(holder.grab().toImage())
    ratio = holder.devicePixelRatioF()
    scale = int(canvas.view.scale)
    places = [find(screen, thumbs[i][..., 0], scale) for i in (0, 1)]
    small = strip.strip.layout_now.thumbs[0].width() // 28
    thumb_places = [find(screen, thumbs[i][..., 0], small) for i in (0, 1)]
    area = QSize(round(canvas.width() * ratio), round(canvas.height() * ratio))
    print(f"ratio {ratio} scale {scale} at {places} thumbnails {small} at {thumb_places} in {area}")
    ok = all(len(place) == 1 for place in places) and all(len(p) >= 1 for p in thumb_places)
    return 0 if ok and places[0][0][1] == places[1][0][1] else 1


if __name__ == "__main__":
    sys.exit(main())
