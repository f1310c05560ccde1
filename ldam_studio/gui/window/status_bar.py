"""The status bar: progress of the chains, step, speed and device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from ldam_studio.gui.frame_words import (
    progress_words,
    rate_words,
    schedule_words,
    thousands,
)
from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame

# The widest text of each figure, so that nothing moves while the numbers change.
_WIDEST = {
    "step": "step 0,000,000",
    "speed": "00,000 steps/s",
    "frames": "1 frame in 0.0 s",
    "device": "",
}
NARROW = 640  # pixels; all figures have room in a window of this width
WEIGHTS_WIDTH = 220  # pixels for the name of a weights file


class StatusBar(QStatusBar):
    """Progress on the left; step, speed and device on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.progress = NamedLabel("Progress")
        # In a narrow window this text is cut off, not the figures.
        self.progress.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.progress, 1)
        self._figures: dict[str, NamedLabel] = {}
        for name in ("weights", *_WIDEST):
            label = NamedLabel(name)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._figures[name] = label
            self.addPermanentWidget(label)

    def show_frame(self, frame: Frame, frames_per_second: float) -> None:
        """Show a frame's figures."""
        settings = frame.outline.lane.settings
        words = progress_words(frame.lanes[0]), schedule_words(frame.lanes[0], settings)
        self._say(self.progress, "  ·  ".join(filter(None, words)))
        self._figure("step", f"step {thousands(frame.step)}")
        self._figure("speed", rate_words(frame.steps_per_second, "step"))
        self._figure("frames", rate_words(frames_per_second, "frame"))

    def show_device(self, text: str) -> None:
        """Show the device on which the sampler runs."""
        self._figure("device", text)

    def show_weights(self, name: str, path: str) -> None:
        """Show the name of the weights, with their path as tool tip; an empty name hides it."""
        label = self._figures["weights"]
        middle = Qt.TextElideMode.ElideMiddle
        self._say(label, label.fontMetrics().elidedText(name, middle, WEIGHTS_WIDTH))
        label.setAccessibleName(f"weights: {name}")  # in full
        label.setToolTip(as_tip(path))
        label.setVisible(bool(name))

    def show_nothing(self, text: str) -> None:
        """Show a text in place of the progress while there is no frame."""
        self._say(self.progress, text)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Leave a figure out where not all fit."""
        super().resizeEvent(event)
        self._figures["frames"].setVisible(self.width() >= NARROW)

    def text(self, name: str) -> str:
        """Return the text of a figure: "weights", "step", "speed", "frames" or "device"."""
        return self._figures[name].text()

    def _figure(self, name: str, text: str) -> None:
        label = self._figures[name]
        width = label.fontMetrics().horizontalAdvance(_WIDEST[name]) + 12
        if label.minimumWidth() < width:
            label.setMinimumWidth(width)
        self._say(label, text)

    @staticmethod
    def _say(label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)
