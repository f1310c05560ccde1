"""A line of words that ends in an ellipsis where there is too little room for it."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy


class OneLine(QLabel):
    """Plain text on one line; all of it is in the tool tip and said by screen readers."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        """Return the whole text."""
        return self._said

    def setText(self, text: str | None) -> None:
        """Show a text."""
        self._said = text or ""
        self.setAccessibleName(self._said)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the height of a line; it needs no width."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        right = Qt.TextElideMode.ElideRight
        super().setText(self.fontMetrics().elidedText(self._said, right, self.width()))
