"""The slim bar above the wall: samples or averages, and what to do with the chosen chains."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget

from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.theme import icons

DONE = (
    (
        "melt",
        "Melt",
        "Heat the chosen chains until their images have dissolved, then cool them (K)",
    ),
    ("restart", "Restart", "Start the chosen chains from new noise (R)"),
    ("hold", "Hold", "Keep the chosen chains as they are, while the others go on (H)"),
    ("keep", "Keep only", "Remove all chains but the chosen ones"),
)
RELEASE = ("Release", "Let the chosen chains go on (H)")


class WallBar(QFrame):
    """Says how many chains there are, or are chosen."""

    averages_chosen = pyqtSignal(bool)
    asked = pyqtSignal(str)  # the first of a row of `DONE`
    left = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Wall")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 6, 3)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for averages, text, tip in (
            (False, "Raw", "Show the samples"),
            (True, "Average", "Show the running averages"),
        ):
            button = _button(text, tip, partial(self.averages_chosen.emit, averages))
            button.setCheckable(True)
            button.setChecked(not averages)
            group.addButton(button)
            row.addWidget(button)
        row.addSpacing(8)
        self.count = NamedLabel("Chains")
        row.addWidget(self.count)
        row.addStretch(1)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, tip in DONE:
            self.buttons[name] = _button(text, tip, partial(self.asked.emit, name))
            row.addWidget(self.buttons[name])
        close = _button("", "Show the chain in front again (G)", self.left.emit)
        close.setIcon(icons.icon("close"))
        close.setAccessibleName("Leave the wall")
        row.addSpacing(4)
        row.addWidget(close)
        self.show_chosen(1, 0, held=False)

    def show_chosen(self, chains: int, chosen: int, *, held: bool) -> None:
        """Show how many chains there are, and how many are chosen; `held` if all of these are."""
        many = chosen or chains
        words = f"{many:,} chain" + ("" if many == 1 else "s")
        self.count.setText(f"{words} chosen" if chosen else words)
        self.count.setProperty("role", None if chosen else "muted")
        for button in self.buttons.values():
            button.setVisible(bool(chosen))
        self.buttons["keep"].setEnabled(0 < chosen < chains)
        text, tip = RELEASE if held else next(row[1:] for row in DONE if row[0] == "hold")
        self.buttons["hold"].setText(text)
        self.buttons["hold"].setToolTip(tip)


def _button(text: str, tip: str, act: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _on: act())
    return button
