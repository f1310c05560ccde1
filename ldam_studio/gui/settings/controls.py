"""The panel of settings: one row per setting, made from the table of settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ldam_studio.engine.comparison import lane_name
from ldam_studio.gui.settings.fold import Fold, Rows
from ldam_studio.gui.settings.measuring import MEASURE
from ldam_studio.gui.settings.number_row import NumberRow, least_width
from ldam_studio.gui.settings.rows import row_for
from ldam_studio.gui.settings.schedule_panel import SHOWN_WITH, SchedulePanel
from ldam_studio.gui.settings.setting_row import SettingRow
from ldam_studio.gui.settings.slider import AnnealSlider
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.sampler.settings_table import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldam_studio.engine.frame import LaneFrame
    from ldam_studio.sampler.setting import Group, Setting
    from ldam_studio.sampler.settings import PerChain


FOLDED: tuple[Group, ...] = ("objective", "image", "views", "schedule", "start", "more")
"""Groups that are folded away at first, in the order in which they are shown."""


class Controls(QWidget):
    """Shows the values of the settings, and emits the values that the user chooses."""

    chosen = pyqtSignal(str, object)  # name of a setting, value
    gesture = pyqtSignal(str, bool)  # see `SettingRow`
    gesture_resumed = pyqtSignal(str)
    offer_taken = pyqtSignal(str)  # see `NumberRow`
    filled = pyqtSignal()  # a group was unfolded for the first time: its rows show nothing yet

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        groups = ("sampler", "average", *FOLDED)
        names = (setting.name for group in groups for setting in _in_group(group))
        self.rows = Rows(names, lambda name: self.folded[SETTINGS[name].group].fill())
        self._widest = "", 0  # a font, and how wide rows are in it
        self._home: Mapping[str, object] = {}
        self.headings: dict[str, QLabel] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.presets = QToolButton()
        self.presets.setText("Presets")
        self.presets.setProperty("choice", True)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.presets.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.presets.setToolTip("Sets of settings that belong together")
        self._add_group("Sampler", "sampler", self.presets)
        self._column.addSpacing(8)
        self._add_group("Average", "average")
        self._column.addSpacing(8)
        self.schedule = SchedulePanel()
        folds = QVBoxLayout()
        folds.setSpacing(4)
        self._column.addLayout(folds)
        self.folded = {group: Fold(GROUPS[group], partial(self._inside, group)) for group in FOLDED}
        self.folded["schedule"].addWidget(self.schedule)
        for folded in self.folded.values():
            folds.addWidget(folded)

    def minimumSizeHint(self) -> QSize:
        """Return a width for all rows, so that the panel stays as it is when a group is filled."""
        font = self.font().key()
        if font != self._widest[0]:
            metrics = self.fontMetrics()
            self._widest = font, max(least_width(SETTINGS[name], metrics) for name in self.rows)
        return super().minimumSizeHint().expandedTo(QSize(self._widest[1], 0))

    def show_values(self, values: Mapping[str, object]) -> None:
        """Show values of settings, by name."""
        made = self.rows.made
        for name in values.keys() & made.keys():
            made[name].show_value(values[name])
        if "schedule_shape" in values:
            for name in SHOWN_WITH.keys() & made.keys():
                made[name].setVisible(values["schedule_shape"] in SHOWN_WITH[name])

    def show_acting(self, lane: int | None, compared: bool) -> None:
        """Name the lane in the headings if two networks are `compared`; None names both."""
        whose = "both" if lane is None else lane_name(lane)
        for title, heading in self.headings.items():
            heading.setText(f"{title} of {whose}" if compared else title)
        for slider in self.findChildren(AnnealSlider):
            slider.show_lane(whose if compared else "")
            slider.update()  # a new style alone does not repaint

    def set_home(self, values: Mapping[str, object]) -> None:
        """Set the values that a double click restores: those at the start of the session."""
        self._home = values
        for name, row in self.rows.made.items():
            row.home = values.get(name, row.home)

    def show_frame(self, frame: LaneFrame, mode: str, temperature: PerChain) -> None:
        """Show the notes on settings.

        One of them is the temperature in units of the activation, that of the front chain.
        """
        made = self.rows.made
        for name, noted in made.items():
            if name not in ("temperature", "kernel"):
                noted.set_note(frame.notes.get(name, ""))
        statistics = made.get("photo_statistics")
        if isinstance(statistics, NumberRow):
            statistics.set_offer(MEASURE if frame.measurable else "")
        row = self.rows["temperature"]
        assert isinstance(row, NumberRow)
        if mode != "normalised":
            row.set_note("")
            return
        if frame.gradient_rms is None:
            return  # no step was taken since the last frame, so the caption is still right
        front = frame.front
        own = (
            temperature[front % len(temperature)] if isinstance(temperature, tuple) else temperature
        )
        own = frame.now.get("temperature", own)
        rms = float(frame.gradient_rms[front])
        what = "activation" if frame.objective == "activation" else "objective"
        row.set_note(f"{own * rms:.2g} in units of the {what}")

    def _add_group(self, title: str, group: Group, beside: QWidget | None = None) -> None:
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self.headings[title] = heading
        row = QHBoxLayout()
        row.addWidget(heading, 1)
        if beside is not None:
            row.addWidget(beside)
        self._column.addLayout(row)
        for setting in _in_group(group):
            self._column.addWidget(self._row(setting))

    def _inside(self, group: Group) -> Iterator[QWidget]:
        for setting in _in_group(group):
            row = self._row(setting)
            row.home = self._home.get(setting.name, row.home)
            yield row
        self.filled.emit()

    def _row(self, setting: Setting) -> SettingRow:
        row = row_for(setting)
        row.chosen.connect(self.chosen)
        row.gesture.connect(self.gesture)
        row.gesture_resumed.connect(self.gesture_resumed)
        if isinstance(row, NumberRow):
            row.offer_taken.connect(self.offer_taken)
        self.rows.made[setting.name] = row
        return row


def _in_group(group: Group) -> list[Setting]:
    return [setting for setting in SETTINGS.values() if setting.group == group]
