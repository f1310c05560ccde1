"""Undoing changes of settings and neurons, on Qt's undo stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from PyQt6.QtGui import QUndoCommand, QUndoStack

from ldam_studio.sampler.settings import SETTINGS

DEPTH = 200
PAUSE = 0.8  # seconds between two turns of a wheel after which they are two changes
MOMENT = "moment"  # stands for what is undone by going back to the moment before it
MOST_MOMENTS = 5  # each of them keeps the chains and averages of then
MERGES = 1  # the id of commands that Qt asks whether they merge


class _Command(QUndoCommand):
    """One thing to undo: values before and after it."""

    def __init__(
        self,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        text: str,
        when: float,
        *,
        dragged: bool = False,
    ) -> None:
        super().__init__(text)
        self.before, self.after = dict(before), dict(after)
        self.when, self.dragged = when, dragged
        # Several values at once are a change of their own.
        self.closed = len(self.after) > 1 or self.is_moment

    @property
    def is_moment(self) -> bool:
        return MOMENT in self.before

    def id(self) -> int:
        return MERGES

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Take a later change of the same values in; a change back to the start is none at all."""
        assert isinstance(other, _Command)
        same = list(self.after) == list(other.after)
        soon = other.dragged or other.when - self.when < PAUSE
        if self.closed or not same or not soon:
            return False
        self.after, self.when = other.after, other.when
        self.setText(_text(self.before, self.after))
        self.setObsolete(self.after == self.before)
        return True


class Undo:
    """Remembers changes. A drag, a burst of the wheel or a preset is one change.

    It applies nothing itself: `undo` and `redo` return what is to be set. The `stack` says in its
    signals what would be undone, for the menu.

    Parameters
    ----------
    clock
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stack = QUndoStack()
        self.stack.setUndoLimit(DEPTH)
        self._clock = clock
        self._dragging = ""
        self._dragged: _Command | None = None  # what the last drag changed, if anything

    def note(self, before: Mapping[str, Any], after: Mapping[str, Any], text: str = "") -> None:
        """Remember a change of one or several settings.

        Parameters
        ----------
        before, after
            Their values before and after it, by name.
        text
            What the change is called in the menu; without one it is named after the setting.
        """
        dragged = self._dragging in after
        named = f"{text}\n{text}" if text else _text(before, after)
        command = _Command(before, after, named, self._clock(), dragged=dragged)
        self.stack.push(command)
        if dragged and self._last() is command:  # it was not merged
            self._dragged = command

    def note_moment(self, before: object, again: object, text: str = "Restart") -> None:
        """Remember a change that no setting takes back. Both are returned as `MOMENT`.

        Parameters
        ----------
        before
            The moment before it.
        again
            How to do it again.
        text
            What it is called in the menu.
        """
        self.stack.push(_Command({MOMENT: before}, {MOMENT: again}, text, self._clock()))
        done = [self._command(at) for at in range(self.stack.index())]
        moments = [c for c in done if c is not None and c.is_moment and not c.isObsolete()]
        for command in moments[:-MOST_MOMENTS]:
            # Qt removes it once it is reached; what it kept is free at once.
            command.before = {MOMENT: None}
            command.setObsolete(True)

    def drag(self, name: str, begins: bool) -> None:
        """Hold the changes of a drag together, and apart from those before and after it."""
        if begins:
            self._dragged = None
        self._dragging = name if begins else ""
        last = self._last()
        if last is not None:
            last.closed = True

    def resume(self, name: str) -> None:
        """Go on with the drag before: a double click is one change, not two."""
        last = self._last()
        if last is not None and last is self._dragged:
            last.closed = False
        self._dragging = name

    def undo(self) -> dict[str, Any] | None:
        """Return the values to set in order to undo the last change; None if there is none."""
        command = self._last()
        if command is None:
            return None
        command.closed = True
        self.stack.undo()
        while (last := self._last()) is not None and last.isObsolete():
            self.stack.undo()
        return command.before

    def redo(self) -> dict[str, Any] | None:
        """Return the values to set in order to redo a change; None if there is none."""
        command = self._command(self.stack.index())
        if command is None:
            return None
        self.stack.redo()
        return command.after

    def clear(self) -> None:
        """Forget everything, as for another session."""
        self.stack.clear()

    def _last(self) -> _Command | None:
        """Return the change that would be undone."""
        return self._command(self.stack.index() - 1)

    def _command(self, at: int) -> _Command | None:
        command = self.stack.command(at)
        return command if isinstance(command, _Command) else None


def _text(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what a change is called: in full, and on a second line for the menu."""
    if len(after) > 1:
        return "Settings"
    (name,) = after
    if name not in SETTINGS:
        return name.capitalize()
    label = SETTINGS[name].label
    return f"{label} {_words(before[name])} → {_words(after[name])}\n{label}"


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.4g}"
    return "mixed" if isinstance(value, tuple) else str(value)
