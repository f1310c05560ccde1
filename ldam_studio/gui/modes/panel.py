"""The panel below the images with the modes of the front neuron, and what can be done with one."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.explore.modes.features import Kind
from ldam_studio.gui.modes import words
from ldam_studio.gui.modes.cards import Card, Cards
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.quiet_combo import QuietCombo

ACTIONS = (
    ("send", "Send Chains There", "Let all chains of this neuron begin at this mode's picture"),
    (
        "average",
        "Average Only This",
        "Average over the chains that show this mode now, apart from the others, which go on; "
        "press again for the average of each chain",
    ),
    (
        "others",
        "Look for Others",
        "Keep this mode, and let all chains begin anew, pushed away from it (Repulsion)",
    ),
    ("keep", "Keep", "Keep this mode's picture in the session"),
    ("forget", "Forget", "Leave this mode out of the gallery, and out of Repulsion"),
)
FIND = "Find Another"
FIND_TIP = "Lead the chains to another mode: keep one found, and let them begin anew away from it"


class ModesPanel(QWidget):
    """Shows cards and buttons; it knows no session."""

    shown = pyqtSignal(bool)  # whether the panel is visible
    asked = pyqtSignal(str, int)  # one of `ACTIONS` by its name, for a mode; ("find", 0)
    kind_changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards = Cards()
        self._cards.chosen.connect(self._show_choice)
        self._cards.menu.connect(self._open_menu)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._cards)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._empty = Paragraph(words.NOTHING)
        self._empty.setProperty("role", "empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._scroll)
        self._bar = QStackedWidget()
        self._bar.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._bar.addWidget(self._overview())
        self._bar.addWidget(self._choice())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addWidget(self._pages, 1)

    def _overview(self) -> QWidget:
        self._summary = QLabel()
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._summary.setToolTip(words.HELP)
        self.kind_choice = QuietCombo()
        self.kind_choice.setAccessibleName("What modes are compared by")
        for number, (text, tip) in enumerate(words.KINDS):
            self.kind_choice.addItem(text)
            self.kind_choice.setItemData(number, tip, Qt.ItemDataRole.ToolTipRole)
        self.kind_choice.setToolTip("What averages are compared by")
        self.kind_choice.currentIndexChanged.connect(lambda _index: self.kind_changed.emit())
        self.find_button = QPushButton(FIND)
        self.find_button.setToolTip(FIND_TIP)
        self.find_button.clicked.connect(lambda: self.asked.emit("find", 0))
        return _row(self._summary, self.kind_choice, self.find_button)

    def _choice(self) -> QWidget:
        self._name = QLabel()
        self._name.setProperty("role", "title")
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, tip in ACTIONS:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(partial(self._ask, name))
            self.buttons[name] = button
        self.buttons["average"].setCheckable(True)
        return _row(self._name, *self.buttons.values())

    @property
    def kind(self) -> Kind:
        """What averages are compared by."""
        return "features" if self.kind_choice.currentIndex() else "pixels"

    @property
    def cards(self) -> Cards:
        """The cards."""
        return self._cards

    def show_modes(self, summary: str, cards: tuple[Card, ...], empty: str, *, found: bool) -> None:
        """Show the modes of a neuron.

        Parameters
        ----------
        summary
            What the gallery shows, in one line.
        empty
            What is said if there is no card.
        found
            Whether another mode can be looked for.
        """
        if self._summary.text() != summary:
            self._summary.setText(summary)
        if self._empty.text() != empty:
            self._empty.setText(empty)
        self.find_button.setEnabled(found)
        self._cards.show_cards(cards)
        self._pages.setCurrentIndex(1 if cards else 0)

    def set_possible(self, possible: set[str], *, averaged: bool = False) -> None:
        """Enable the actions that can be done with the chosen mode.

        `averaged` tells whether averages are over its chains alone, which ends if asked again.
        """
        for name, button in self.buttons.items():
            button.setEnabled(name in possible)
        self.buttons["average"].setChecked(averaged)

    def _show_choice(self, number: int) -> None:
        self._name.setText(words.title(number).capitalize() if number else "")
        self._bar.setCurrentIndex(1 if number else 0)
        if number:
            part = self._cards.rect_of(number)
            self._scroll.ensureVisible(part.center().x(), 0, part.width() // 2, 0)

    def _open_menu(self, _number: int, where: QPoint) -> None:
        menu = QMenu(self)
        for name, text, tip in ACTIONS:
            action = menu.addAction(text)
            if action is not None:
                action.setToolTip(tip)
                action.setEnabled(self.buttons[name].isEnabled())
                action.setCheckable(self.buttons[name].isCheckable())
                action.setChecked(self.buttons[name].isChecked())
                action.triggered.connect(partial(self._ask, name))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def _ask(self, name: str, _checked: bool = False) -> None:
        self.asked.emit(name, self._cards.number)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Say that the panel is visible."""
        super().showEvent(event)
        self.shown.emit(True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Say that the panel is not visible."""
        super().hideEvent(event)
        self.shown.emit(False)


def _row(first: QWidget, *others: QWidget) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    layout.addWidget(first, 1)
    for each in others:
        layout.addWidget(each)
    return holder
