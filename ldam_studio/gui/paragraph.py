"""A label for sentences, which may contain names from files."""

from __future__ import annotations

import re

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget

LONG = 24  # letters after which a word may be broken
_LONG_WORD = re.compile(rf"\S{{{LONG}}}(?=\S)")


class Paragraph(QLabel):
    """Plain text that breaks into lines anywhere, so that no name makes a window wider."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setText(text)

    def setText(self, text: str | None) -> None:
        """Show a text; long words get places at which they may break."""
        self._said = text or ""
        # U+200B is no letter, takes no room, and is where a line may break.
        super().setText(_LONG_WORD.sub(lambda word: f"{word[0]}\N{ZERO WIDTH SPACE}", self._said))

    def text(self) -> str:
        """Return the text as it was given."""
        return self._said
