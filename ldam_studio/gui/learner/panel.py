"""The discriminator's panel: switches its learning on and off, and shows its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.theme import icons
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame

USUAL_PERIOD = 10  # steps between two rounds, when the box is ticked for the first time
NO_NUMBERS = ("none yet", "–", "–")
COLLAPSED = (
    "The discriminator has collapsed: its probabilities no longer depend on the image, so it has "
    "no effect on the chains. Revert to the shipped one, or restart the chains."
)


class LearnerPanel(QWidget):
    """The panel's widgets; emits what the user asks for."""

    learn_every_changed = pyqtSignal(int)  # steps between two rounds; 0 for no learning
    revert_requested = pyqtSignal()
    save_requested = pyqtSignal()
    images_requested = pyqtSignal()  # choose real images to learn from

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._available = True
        self._learned = False
        title = QLabel("Discriminator")
        title.setProperty("role", "title")
        self._keep = QCheckBox("Keep learning every")
        self._keep.setToolTip(SETTINGS["learn_every"].help)
        self._keep.toggled.connect(self._asked)
        self._period = CountBox("step")
        self._period.setRange(1, int(SETTINGS["learn_every"].maximum))
        self._period.setValue(USUAL_PERIOD)
        self._period.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._period.setAccessibleName("Steps between two rounds of learning")
        self._period.setToolTip("How many steps the chains take between two rounds of learning")
        self._period.valueChanged.connect(self._asked)
        switch = QHBoxLayout()
        switch.addWidget(self._keep)
        switch.setSpacing(8)
        switch.addStretch(1)
        switch.addWidget(self._period)

        self._source = Paragraph()
        self._source.setProperty("role", "muted")
        self._choose = QPushButton("Choose a folder…")
        self._choose.setToolTip("Choose the real images from which the discriminator learns")
        self._choose.clicked.connect(self.images_requested)
        self._choose.hide()
        self._rounds = _value("Rounds learned")
        self._real = _value("Mean probability real of real images")
        self._fake = _value("Mean probability real of the chains' images")
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(12)
        numbers.setVerticalSpacing(2)
        numbers.setColumnStretch(1, 1)
        rows = (
            ("Rounds learned", self._rounds),
            ("P(real) of real images", self._real),
            ("P(real) of the chains", self._fake),
        )
        for row, (name, value) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("role", "muted")
            numbers.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            numbers.addWidget(value, row, 1)

        self._warning = Paragraph()
        self._warning.setProperty("role", "warning")
        self._warning.hide()
        self._revert = QPushButton(icons.icon("revert"), "Revert to shipped")
        self._revert.setToolTip("Discard what was learned here and use the shipped discriminator")
        self._revert.clicked.connect(self.revert_requested)
        self._save = QPushButton(icons.icon("save"), "Save as…")
        self._save.setToolTip("Save the discriminator as it is now")
        self._save.clicked.connect(self.save_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self._revert, 3)
        buttons.addWidget(self._save, 2)
        for button in (self._revert, self._save):
            button.setMinimumWidth(40)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 8)
        layout.setSpacing(8)
        layout.addWidget(title)
        layout.addLayout(switch)
        layout.addWidget(self._source)
        layout.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(numbers)
        layout.addWidget(self._warning)
        layout.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setAccessibleName("Discriminator")
        self.set_source("")
        self._show_numbers(*NO_NUMBERS)
        self._enable()

    # -- what is shown ----------------------------------------------------------------------------

    def set_learn_every(self, steps: int) -> None:
        """Show the steps between two rounds (0 for no learning), without emitting them."""
        self._keep.blockSignals(True)
        self._keep.setChecked(steps > 0)
        self._keep.blockSignals(False)
        if steps > 0:
            self._period.show_value(steps)
        self._enable()

    def set_source(self, text: str, *, may_choose: bool = False) -> None:
        """Show where the real images come from, and a button if the user `may_choose` some."""
        self._source.setText(f"Real images: {text or 'none'}")
        self._choose.setVisible(may_choose)

    def set_available(self, available: bool, why: str = "") -> None:
        """Enable or disable the panel; `why` is a sentence that says why it is disabled."""
        self._available = available
        if available and self._warning.text() != COLLAPSED:
            self._warn("")
        elif not available:
            self._warn(why)
        self._enable()

    def show_frame(self, frame: Frame) -> None:
        """Show the results of the last round of learning."""
        lesson = frame.lesson
        self._learned = lesson is not None and lesson.rounds > 0
        if lesson is None:
            self._show_numbers(*NO_NUMBERS)
        else:
            real, fake = lesson.real_probability, lesson.fake_probability
            self._show_numbers(f"{lesson.rounds:,}", f"{real:.2f}", f"{fake:.2f}")
        if self._available:
            self._warn(COLLAPSED if lesson is not None and lesson.collapsed else "")
        self._enable()

    # -- inside -----------------------------------------------------------------------------------

    def _show_numbers(self, *texts: str) -> None:
        for label, text in zip((self._rounds, self._real, self._fake), texts, strict=True):
            if label.text() != text:
                label.setText(text)

    def _warn(self, text: str) -> None:
        if text != self._warning.text():
            self._warning.setText(text)
        self._warning.setVisible(bool(text))

    def _asked(self) -> None:
        self._enable()
        self.learn_every_changed.emit(self._period.value() if self._keep.isChecked() else 0)

    def _enable(self) -> None:
        for widget in (self._keep, self._save, self._choose):
            widget.setEnabled(self._available)
        self._period.setEnabled(self._available and self._keep.isChecked())
        self._revert.setEnabled(self._available and self._learned)


def _value(name: str) -> NamedLabel:
    label = NamedLabel(name)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
    return label
