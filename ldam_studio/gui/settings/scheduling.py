"""Connects the section Schedule to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.gui.studio import Entry
from ldam_studio.sampler.schedule import STARTS

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.settings.controls import Controls
    from ldam_studio.gui.settings.slider_bar import SliderBar
    from ldam_studio.gui.studio import Studio

START = Entry(
    "start_schedule",
    "Start Schedule",
    tip="Run the schedule from its beginning, from the present images",
    needs_session=True,
)
STOP = Entry(
    "stop_schedule",
    "Stop Schedule",
    tip="Stop the schedule where it is, or let it go on",
)
FOLLOW = "Follow Schedule Again"


class Scheduling(QObject):
    """Shows schedules in the panel of settings, and starts, stops and draws them."""

    def __init__(self, studio: Studio, controls: Controls, bar: SliderBar) -> None:
        super().__init__(studio.places.root)
        self._studio, self._controls, self._bar = studio, controls, bar
        panel, controller = controls.schedule, studio.controller
        panel.started.connect(controller.run_schedule)
        panel.held.connect(controller.hold_schedule)
        panel.plot.drawn.connect(controller.set_value)
        panel.plot.gesture.connect(controller.undo_stack.drag)
        self._stop = studio.places.action(STOP, self._toggle)
        self._stop.setEnabled(False)
        start = studio.places.action(START, controller.run_schedule)
        studio.places.add_to_menu("Run", start, self._stop)
        self._held = False
        studio.model.front_changed.connect(lambda _front: self.show_values())

    def show_values(self) -> None:
        """Show the settings of the lane that is acted on."""
        model = self._studio.model
        if model.is_open:
            self._controls.schedule.show_settings(model.acted.settings, model.front)

    def show_frame(self, frame: Frame) -> None:
        """Show the present values, and which settings have left the schedule."""
        acted = self._studio.model.acted_frame(frame)
        for name in STARTS:
            row, copy = self._controls.rows.made.get(name), self._bar.rows.get(name)
            for each in (row, copy):
                if isinstance(each, NumberRow):
                    each.show_present(acted.now.get(name), taken=name in acted.taken)
            if isinstance(row, NumberRow):
                row.set_offer(FOLLOW if name in acted.taken else "")
        self._held = acted.held
        self._stop.setText("Continue Schedule" if acted.held else "Stop Schedule")
        self._stop.setEnabled(acted.held or bool(acted.now))
        self._controls.schedule.show_present(acted.clock, dict(acted.now), held=acted.held)

    def _toggle(self) -> None:
        self._studio.controller.hold_schedule(not self._held)
