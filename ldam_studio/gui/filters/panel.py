"""The panel for first-layer neurons: the filter beside the average, and their cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PyQt6.QtCore import QEvent, QRect, QSize, Qt
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.engine.picture import Bytes, to_bytes
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Pencil, qimage
from ldam_studio.gui.tips import as_tip
from ldam_studio.networks.inspect.filters import filter_cosine, first_layer_filter, inside

if TYPE_CHECKING:
    from ldam_studio.engine.frame import LaneFrame
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron

EXPLANATION = (
    "A first-layer neuron is linear in the pixels, so its L2-regularised average is known: it is "
    "proportional to the filter's weights divided by the standard deviation of the network's "
    "input. A cosine of 1 means that the average has exactly this shape."
)


class FilterPanel(QWidget):
    """Shows filter, average and their cosine; hidden if the front neuron has no filter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network: Network | None = None
        self._neuron: Neuron | None = None
        self._kernel: torch.Tensor | None = None
        self._title = QLabel("Filter and average")
        self._title.setProperty("role", "title")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._filter = _Picture("Filter ÷ std")
        self._average = _Picture("Average − rest")
        self._cosine = Paragraph()
        pictures = QHBoxLayout()
        pictures.setSpacing(10)
        pictures.addWidget(self._filter)
        pictures.addWidget(self._average)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._title)
        layout.addLayout(pictures)
        layout.addWidget(self._cosine)
        note = Paragraph("Near 1 with L2, without discriminator and clamp.")
        note.setProperty("role", "muted")
        layout.addWidget(note)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setToolTip(EXPLANATION)
        self.setAccessibleName("Filter of the first-layer neuron beside the average")
        self.hide()

    def set_network(self, network: Network | None) -> None:
        """Use the filters of this network."""
        self._network = network
        self._neuron = self._kernel = None
        self.hide()

    def set_weights(self, network: Network) -> None:
        """Use the filters of other weights of the same network."""
        self._network = network
        self._neuron = None  # so that the next frame reads its filter again

    def show_frame(self, frame: LaneFrame) -> None:
        """Compare the front chain's average with its neuron's filter."""
        network, neuron = self._network, frame.neurons[frame.front]
        if network is not None and neuron != self._neuron:
            self._look_at(network, neuron)
        self.setVisible(self._kernel is not None)
        if self._kernel is None or network is None:
            return
        if frame.average is None:
            self._average.show_image(None)
            self._say("No samples in the average yet.")
            return
        # A copy, because frames are read-only and torch warns about read-only arrays.
        average = torch.from_numpy(np.array(frame.average))
        part = inside(average, frame.field) - network.pixels.rest
        self._average.show_image(_signed(part, network))
        cosine = filter_cosine(network, neuron, average)
        self._say("No cosine yet." if cosine is None else f"Cosine {cosine:.3f}")

    def _look_at(self, network: Network, neuron: Neuron) -> None:
        self._neuron = neuron
        self._kernel = first_layer_filter(network, neuron)
        if self._kernel is not None:
            self._title.setText(f"Filter and average of {neuron}")
            self._title.setToolTip(as_tip(str(neuron)))
            self._filter.show_image(_signed(self._kernel, network))

    def _say(self, text: str) -> None:
        if text != self._cosine.text():
            self._cosine.setText(text)


def _signed(difference: torch.Tensor, network: Network) -> Bytes:
    """Return a difference from the rest colour as an image in which zero is mid-grey."""
    pixels = network.pixels
    return to_bytes((difference + pixels.rest).numpy(), pixels, "signed")


class _Picture(QWidget):
    """An image whose pixels are squares of whole device pixels, above a caption."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._caption = caption
        self._image: Bytes | None = None
        self.setAccessibleName(caption)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size at which the image is easy to see."""
        line = self.fontMetrics().height()
        return QSize(110, 100 + line)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which the image can still be recognised."""
        return QSize(60, self.sizeHint().height())

    def show_image(self, image: Bytes | None) -> None:
        """Show bytes of shape (H, W, 3); None for no image."""
        same = image is self._image or (
            image is not None and self._image is not None and np.array_equal(image, self._image)
        )
        if not same:
            self._image = image
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the image and the caption."""
        pencil = Pencil(self)
        ratio = pencil.ratio
        width, height = int(self.width() * ratio), int(self.height() * ratio)
        line = int(self.fontMetrics().height() * ratio)
        room = QRect(0, 0, width, height - line - int(3 * ratio))
        if self._image is None:
            side = min(room.width(), room.height())
            pencil.outline(QRect(0, 0, side, side), "outline")
        else:
            rows, columns = self._image.shape[:2]
            zoom = max(1, min(room.width() // columns, room.height() // rows))
            part = QRect(0, 0, columns * zoom, rows * zoom)
            pencil.painter.drawImage(part, qimage(self._image))
        where = QRect(0, height - line, width, line)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        pencil.text(where, self._caption, "muted", flags=flags, font=pencil.font(size=0.9))
        pencil.painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self.update()
