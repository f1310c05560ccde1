"""What the user does to schedules: starting and stopping them, and taking settings out of them."""

from __future__ import annotations

from typing import Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.gui.session.edits import RUN_SCHEDULE
from ldam_studio.gui.session.setting_edits import SettingEdits
from ldam_studio.sampler.settings import SETTINGS


class ScheduleEdits(SettingEdits):
    """Changes of schedules, each of which can be undone."""

    def set_value(self, name: str, value: Any) -> None:
        """Change a setting; one that follows a schedule leaves it, also if the value is its own."""
        if name in self.scheduled and self.model.is_open and value == self.model.value(name):
            self._take_over(name)
        else:
            super().set_value(name, value)

    def _take_over(self, name: str) -> None:
        """Take a setting out of the schedule at its own value."""
        leave, follow = self._leaving(name)
        if self._try(leave):
            self.scheduled -= {name}
            self._note(follow, leave, f"{SETTINGS[name].label} by Hand")

    def follow_schedule(self, name: str) -> None:
        """Put a setting that was moved by hand back into the schedule."""
        leave, follow = self._leaving(name)
        if self._try(follow):
            self._note(leave, follow, f"{SETTINGS[name].label} Follows Schedule")

    def _leaving(self, name: str) -> tuple[Change, Change]:
        """Return the changes that take a setting out of the schedule, and put it back."""
        acting = self.model.acting
        return Change("leave_schedule", name, acting), Change(RUN_SCHEDULE, name, acting)

    def hold_schedule(self, on: bool) -> None:
        """Stop the schedule where it is, so that settings keep their values, or let it go on."""
        change = Change("hold_schedule", on, self.model.acting)
        if self._try(change):
            back = Change("hold_schedule", not on, self.model.acting)
            self._note(back, change, "Stop Schedule" if on else "Continue Schedule")

    def run_schedule(self) -> None:
        """Run the schedule from its beginning, from the present images."""
        self.make(Change(RUN_SCHEDULE, None, self.model.acting), "Start Schedule")

    def _note(self, back: Change, again: Change, text: str) -> None:
        self.undo_stack.note_moment(back, again, text, light=True)
