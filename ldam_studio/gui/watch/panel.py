"""The panel of a watched training: its settings, and the progress of the studio's own training."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.quiet_wheel import leave_wheel
from ldam_studio.gui.theme import icons
from ldam_studio.gui.watch.timeline import SCALES
from ldam_studio.sampler.settings import SETTINGS

ROUNDS = SETTINGS["discriminator_rounds"].label  # as in the manual and in the traces


class PlainNumber(QDoubleSpinBox):
    """A field for a number, without trailing zeros."""

    def textFromValue(self, value: float) -> str:
        """Return the number with at most four significant digits."""
        return f"{value:.4g}"


class WatchPanel(QWidget):
    """The panel's widgets; emits what the user asks for.

    `set_training` shows the rows that only a training started by the studio has.
    """

    scale_chosen = pyqtSignal(str)  # one of `SCALES`
    averaging_chosen = pyqtSignal(int)  # checkpoints, or steps of the studio's own training
    rounds_chosen = pyqtSignal(int)
    rate_chosen = pyqtSignal(float)
    schedule_asked = pyqtSignal()  # follow the recipe's learning rate again
    pause_asked = pyqtSignal(bool)
    stop_asked = pyqtSignal()
    resume_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Watched training")
        title = QLabel("Watched training")
        title.setProperty("role", "title")
        self.averaging = self._count(
            "Averaging",
            "Show the mean of the weights of so many checkpoints, up to the current one",
        )
        self.averaging.valueChanged.connect(self.averaging_chosen)
        self.rounds = self._count(
            ROUNDS,
            "How many rounds the discriminator learns after each new checkpoint, to keep up with "
            "the classifier; 0 for none",
        )
        self.rounds.setRange(0, int(SETTINGS["discriminator_rounds"].maximum))
        self.rounds.valueChanged.connect(self.rounds_chosen)
        self.scale = QuietCombo()
        for scale, words in SCALES.items():
            self.scale.addItem(words, scale)
        self.scale.setAccessibleName("Scale of the timeline")
        self.scale.setToolTip("How the checkpoints lie on the timeline")
        self.scale.activated.connect(lambda at: self.scale_chosen.emit(self.scale.itemData(at)))
        self.restart = QCheckBox("Restart chains at each checkpoint")
        self.restart.setToolTip(
            "Otherwise the chains continue from their current images, which then still show "
            "something of the checkpoints before"
        )
        self.rate = PlainNumber()
        self.rate.setDecimals(8)
        self.rate.setRange(1e-7, 1.0)
        self.rate.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.rate.setKeyboardTracking(False)
        leave_wheel(self.rate)
        self.rate.setAccessibleName("Learning rate")
        self.rate.setToolTip("The learning rate of the training")
        self.rate.setSpecialValueText("–")  # until the training reports its rate
        self.schedule = QToolButton()
        self.schedule.setIcon(icons.icon("revert"))
        self.schedule.setToolTip("Let the learning rate follow the recipe's schedule again")
        self.schedule.setAccessibleName("Automatic learning rate")
        self.schedule.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.schedule.clicked.connect(self.schedule_asked)
        self.rate.valueChanged.connect(self.rate_chosen)
        self.state = Paragraph()
        self.state.setProperty("role", "muted")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName("Progress of the training")
        self.pause = QPushButton(icons.icon("pause"), "Pause training")
        self.pause.clicked.connect(lambda _on: self._pressed())
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("End the training; its checkpoints can still be shown")
        self.stop.clicked.connect(self.stop_asked)
        self._paused = self._over = False
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.pause, 3)
        buttons.addWidget(self.stop, 2)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        self._rate_label = QLabel("Learning rate")
        labels = (self._rate_label, QLabel("Averaging"), QLabel(ROUNDS), QLabel("Timeline"))
        for row, (label, field) in enumerate(
            zip(labels, (self.rate, self.averaging, self.rounds, self.scale), strict=True)
        ):
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 2)
        grid.addWidget(self.schedule, 0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 10)
        layout.setSpacing(8)
        layout.addWidget(title)
        layout.addWidget(self.state)
        layout.addWidget(self.progress)
        layout.addLayout(grid)
        layout.addWidget(self.restart)
        layout.addLayout(buttons)
        self.set_training(False, 1)

    def set_training(self, own: bool, most: int) -> None:
        """Show the rows for a training started by the studio (`own`), or for any other training.

        Parameters
        ----------
        own
            Whether the studio has started the training.
        most
            Largest number of steps (`own`) or checkpoints that can be averaged.
        """
        for widget in (
            self._rate_label,
            self.rate,
            self.schedule,
            self.state,
            self.progress,
            self.pause,
            self.stop,
        ):
            widget.setVisible(own)
        self.averaging.show_value(0)
        self.averaging.setRange(0, most)
        self.averaging.setSingleStep(100 if own else 1)
        self.averaging.count("step" if own else "checkpoint")
        self.averaging.setToolTip(
            "Later checkpoints hold the moving average of the parameters over so many steps"
            if own
            else "Show the mean of the weights of so many checkpoints, up to the current one"
        )

    def show_averaging(self, value: int) -> None:
        """Show the number of averaged checkpoints or steps, without emitting it."""
        self.averaging.show_value(value)

    def show_rounds(self, value: int, available: bool) -> None:
        """Show the number of rounds; the field is disabled if no discriminator is `available`."""
        self.rounds.show_value(value)
        self.rounds.setEnabled(available)

    def show_training(
        self, words: str, done: float, *, paused: bool, over: bool, rate: float | None
    ) -> None:
        """Show the state of the studio's own training.

        Parameters
        ----------
        words
            The state in one line.
        done
            Share of the steps that have been taken, from 0 to 1.
        paused, over
            Whether the training is paused, or has ended.
        rate
            Its learning rate; None if unknown.
        """
        self.state.setText(words)
        self.progress.setRange(0, 1000)
        self.progress.setValue(round(1000 * done))
        self._paused, self._over = paused, over
        self.pause.setText("Resume training" if paused or over else "Pause training")
        self.pause.setIcon(icons.icon("play" if paused or over else "pause"))
        self.pause.setEnabled(done < 1)
        self.stop.setEnabled(not over)
        self.averaging.setEnabled(not over)
        # A training that ended early can be resumed with another learning rate.
        self.rate.setEnabled(not over or done < 1)
        self.schedule.setEnabled(not over or done < 1)
        if rate is not None and not self.rate.hasFocus():
            self.rate.blockSignals(True)
            self.rate.setValue(rate)
            self.rate.blockSignals(False)

    def _pressed(self) -> None:
        if self._over:
            self.resume_asked.emit()
        else:
            self.pause_asked.emit(not self._paused)

    @staticmethod
    def _count(name: str, tip: str) -> CountBox:
        field = CountBox()
        field.setSpecialValueText("off")
        field.setAccessibleName(name)
        field.setToolTip(tip)
        return field
