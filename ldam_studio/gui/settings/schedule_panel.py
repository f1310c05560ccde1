"""The head of the section Schedule: the plot, which setting it shows, starting and stopping."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ldam_studio.gui.frame_words import thousands
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.settings.schedule_plot import SchedulePlot
from ldam_studio.sampler.schedule import STARTS, Clock, follows, moves
from ldam_studio.sampler.schedule_settings import CURVES, CYCLES, ONCE
from ldam_studio.sampler.settings import SETTINGS, Settings

TIMED = (ONCE, CYCLES)
SHOWN_WITH: dict[str, tuple[str, ...]] = {
    "schedule": TIMED,
    "schedule_course": TIMED,
    "coarse_share": TIMED,
    **dict.fromkeys(STARTS.values(), TIMED),
    **dict.fromkeys(("cycle_growth", "cycle_sampled", "average_cycles"), (CYCLES,)),
    **dict.fromkeys((f"{name}_curve" for name in STARTS), (CURVES,)),
}
"""The settings that are shown with some of the shapes only."""
ORDER = ("step_size", "temperature", "discriminator_weight", "denoiser_noise", "resolution")


class SchedulePanel(QWidget):
    """Shows the schedule of one setting, and starts and stops schedules."""

    started = pyqtSignal()
    held = pyqtSignal(bool)  # stop the schedule (True), or go on

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = SchedulePlot()
        self.which = QuietCombo()
        self.which.setAccessibleName("Setting in the plot")
        for name in ORDER:
            self.which.addItem(SETTINGS[name].label, name)
        label = QLabel("Plot of")
        label.setBuddy(self.which)
        self.words = Paragraph()
        self.words.setProperty("role", "muted")
        self.start = QPushButton("Start")
        self.start.setToolTip("Run the schedule from its beginning, from the present images")
        self.stop = QPushButton("Stop")
        for button in (self.start, self.stop):
            button.setAutoDefault(False)
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(label)
        head.addWidget(self.which, 1)
        foot.addWidget(self.start, 1)
        foot.addWidget(self.stop, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.plot)
        column.addWidget(self.words)
        column.addLayout(foot)
        self._held = False
        self._chosen = False  # whether the user has chosen what the plot shows
        self.which.activated.connect(self._choose)
        self.start.clicked.connect(lambda _on: self.started.emit())
        self.stop.clicked.connect(lambda _on: self.held.emit(not self._held))
        self.plot.chosen.connect(self._say)
        self._say()

    @property
    def name(self) -> str:
        """The setting that the plot shows."""
        return str(self.which.currentData())

    def show_settings(self, settings: Settings, chain: int) -> None:
        """Show the schedule of a lane's settings, for one of its chains."""
        followed = [name for name in ORDER if follows(settings, name)]
        if not self._chosen and followed and self.name not in followed:
            self.which.setCurrentIndex(ORDER.index(followed[0]))
        self.plot.show_schedule(settings, self.name, chain)
        self.start.setEnabled(bool(followed))
        self._say()

    def show_present(self, at: int, now: dict[str, float], *, held: bool) -> None:
        """Show the present step, and the values that the schedule gives settings."""
        self._held = held
        self.stop.setText("Continue" if held else "Stop")
        self.stop.setToolTip(
            "Let the schedule go on from here"
            if held
            else "Stop the schedule here: settings keep their present values"
        )
        moving = bool(now) and moves(self.plot.settings, Clock(at))
        self.stop.setEnabled(held or moving)
        self.plot.show_present(at, now.get(self.name))
        self._now = now
        self._say()

    def _choose(self) -> None:
        self._chosen = True
        self.plot.show_schedule(self.plot.settings, self.name, self.plot.chain)
        self.plot.show_present(self.plot.at, None)
        self._say()

    def _say(self) -> None:
        text = self._text()
        if text != self.words.text():
            self.words.setText(text)

    def _text(self) -> str:
        plot, label = self.plot, SETTINGS[self.name].label
        if plot.is_editable and plot.hasFocus() and plot.points():
            words = plot.words()
            return words[0].upper() + words[1:]
        if plot.settings.schedule_shape == CURVES:
            if not plot.points():
                return "Double-click in the plot to draw a curve."
        elif not plot.settings.schedule:
            return "Choose a number of steps in Schedule."
        elif not follows(plot.settings, self.name):
            return f"{label} does not change; choose {SETTINGS[STARTS[self.name]].label}."
        if plot.now is None:
            return f"{label} has its own value."
        stopped = "Stopped at step" if self._held else "Step"
        return f"{stopped} {thousands(plot.at)}: {plot.now:.3g}"
