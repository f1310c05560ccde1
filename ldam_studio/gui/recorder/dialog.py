"""The dialog that asks what to record, how large and how fast, and to which file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.export.animation.table import FORMATS, format_of
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.quiet_wheel import leave_wheel
from ldam_studio.gui.recorder.catching import WHAT
from ldam_studio.gui.recorder.choice import (
    HIGHEST,
    LOWEST,
    MOST_RATE,
    LastRecording,
    RecordingChoice,
    pace_words,
    usual_steps,
)
from ldam_studio.gui.target_row import TargetRow, folder_for

MOST_STEPS = 10_000
NAME = "recording"  # suggested for the file
NEEDS_VIDEO = (
    "MP4 needs PyAV, which is not installed: pip install 'ldam-studio[video]', or choose another "
    "format."
)


class RecordDialog(FittingDialog):
    """Asks what to record, and remembers the last choice.

    Parameters
    ----------
    size_of
        Returns width and height of an animation of one of `WHAT`, given its height at most and
        whether it has texts.
    steps_per_second
        How fast the chains run; 0 if they rest.
    last
        Keeps the last choice; None does not keep it.
    """

    def __init__(
        self,
        size_of: Callable[[str, int, bool], tuple[int, int]],
        steps_per_second: float,
        last: LastChoice[LastRecording] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._size_of, self._speed = size_of, steps_per_second
        self._last = LastChoice(LastRecording()) if last is None else last
        self._own_steps = False  # whether the user has chosen the number of steps
        self.setWindowTitle("Record")
        self._build()
        self._recall()
        self._connect()
        self._update()

    # Building

    def _build(self) -> None:
        self.what = QuietCombo()
        self.what.setAccessibleName("Picture")
        for name, text in WHAT.items():
            self.what.addItem(text, name)
        self.height_ = _number(LOWEST, HIGHEST, " pixels high", "Height")
        self.height_.setSingleStep(60)
        self._size = _muted()
        self.rate = _number(1, MOST_RATE, " frames per second", "Frames per second")
        self.every = CountBox("step")
        self.every.setRange(1, MOST_STEPS)
        self.every.setPrefix("a frame every ")
        self.every.setAccessibleName("Steps from frame to frame")
        self.every.setToolTip("Fewer steps play slower; more keep fast networks from blurring")
        self._pace = Paragraph()
        self._pace.setProperty("role", "muted")
        self.format = QuietCombo()
        self.format.setAccessibleName("Format")
        for row in FORMATS.values():
            self.format.addItem(row.title, row.suffixes[0])
        self.loop = QCheckBox("Make the ends meet")
        self.loop.setToolTip(
            "The last frames fade into the first ones, so that it can be repeated without a jump"
        )
        self.texts = QCheckBox("Neuron and step above")
        self.texts.setToolTip(
            "A line above the images says what they are, and of which neuron and step"
        )
        self.target = TargetRow("Record", partial(_completed, self.format), _filters)
        self.note = Paragraph("Ctrl+Shift+R, or the button beside the red dot, ends it.")
        self.note.setProperty("role", "muted")
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(14)
        form.addRow("Picture", self.what)
        form.addRow("", self.texts)
        form.addRow("Size", _beside(self.height_, self._size))
        form.addRow("Speed", _beside(self.rate, self.every))
        form.addRow("", self._pace)
        form.addRow("Format", _beside(self.format, self.loop))
        form.addRow("File", self.target)
        form.addRow("", self.note)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._record = present(
            self._buttons.addButton("Record", QDialogButtonBox.ButtonRole.AcceptRole)
        )
        self._record.setDefault(True)
        self.lay_out(form, self._buttons, lines=34)

    def _connect(self) -> None:
        self.what.currentIndexChanged.connect(self._update)
        self.format.currentIndexChanged.connect(self._change_suffix)
        self.height_.valueChanged.connect(self._update)
        self.texts.toggled.connect(self._update)
        self.rate.valueChanged.connect(self._follow_rate)
        self.every.valueChanged.connect(self._choose_steps)
        self.target.changed.connect(self._show_format)
        self._buttons.accepted.connect(self._accepted)
        self._buttons.rejected.connect(self.reject)

    # The choice

    def ask(self) -> RecordingChoice | None:
        """Show the dialog and return the user's choice; None if it was cancelled."""
        return self.choice() if self.exec() == QDialog.DialogCode.Accepted else None

    def choice(self) -> RecordingChoice:
        """Return the current choice."""
        return RecordingChoice(
            what=str(self.what.currentData()),
            height=self.height_.value(),
            rate=self.rate.value(),
            every=self.every.value(),
            loop=self.loop.isChecked(),
            texts=self.texts.isChecked(),
            path=self.target.path,
        )

    def _recall(self) -> None:
        last = self._last.read()
        self._folder = folder_for(last.folder)
        self.what.setCurrentIndex(max(0, self.what.findData(last.what)))
        self.format.setCurrentIndex(max(0, self.format.findData(last.suffix)))
        self.height_.setValue(last.height)
        self.rate.setValue(last.rate)
        self.every.show_value(usual_steps(self._speed, last.rate))
        self.loop.setChecked(last.loop)
        self.texts.setChecked(last.texts)
        self._suggest()

    def _remember(self) -> None:
        chosen = self.choice()
        self._last.write(
            LastRecording(
                what=chosen.what,
                height=chosen.height,
                rate=chosen.rate,
                loop=chosen.loop,
                texts=chosen.texts,
                suffix=str(self.format.currentData()),
                folder=str(chosen.path.absolute().parent),
            )
        )

    # Inside

    def _suggest(self) -> None:
        self.target.suggest(self._folder / NAME)

    def _change_suffix(self) -> None:
        """Give the file the suffix of the format that was chosen."""
        self._suggest()
        path, suffix = self.target.path, str(self.format.currentData())
        if self.target.is_named and path.suffix.lower() not in _suffixes_of(suffix):
            self.target.field.setText(str(path.with_suffix(suffix)))
        self._update()

    def _show_format(self) -> None:
        """Show the format that the file's name has."""
        path = self.target.path
        if _is_known(path):
            first = format_of(path).suffixes[0]
            self.format.setCurrentIndex(self.format.findData(first))
        self._update()

    def _follow_rate(self, rate: int) -> None:
        if not self._own_steps:
            self.every.show_value(usual_steps(self._speed, rate))
        self._update()

    def _choose_steps(self) -> None:
        self._own_steps = True
        self._update()

    def _update(self) -> None:
        what, most = str(self.what.currentData()), self.height_.value()
        width, height = self._size_of(what, most, self.texts.isChecked())
        self._size.setText(f"{width:,} × {height:,} pixels")
        self._pace.setText(pace_words(self.every.value(), self.rate.value(), self._speed))
        self._record.setEnabled(self.target.is_named)

    def _accepted(self) -> None:
        if self.target.path.suffix.lower() == ".mp4" and find_spec("av") is None:
            self.say(self.note, NEEDS_VIDEO, "danger")
        elif self.target.is_agreed():
            self._remember()
            self.accept()


def _completed(chosen: QComboBox, path: Path) -> Path:
    """Return a path with the suffix of a format: its own, or that of the chosen one."""
    return path if _is_known(path) else path.with_name(path.name + str(chosen.currentData()))


def _is_known(path: Path) -> bool:
    try:
        format_of(path)
    except StudioError:
        return False
    return True


def _suffixes_of(first: str) -> Sequence[str]:
    return next(row.suffixes for row in FORMATS.values() if row.suffixes[0] == first)


def _filters() -> str:
    return ";;".join(
        f"{row.title} ({' '.join(f'*{suffix}' for suffix in row.suffixes)})"
        for row in FORMATS.values()
    )


def _number(least: int, most: int, suffix: str, name: str) -> QSpinBox:
    box = QSpinBox()
    leave_wheel(box)
    box.setRange(least, most)
    box.setSuffix(suffix)
    box.setAccessibleName(name)
    return box


def _muted() -> QLabel:
    label = QLabel()
    label.setProperty("role", "muted")
    return label


def _beside(first: QWidget, second: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(10)
    row.addWidget(first)
    row.addWidget(second)
    row.addStretch(1)
    return row
