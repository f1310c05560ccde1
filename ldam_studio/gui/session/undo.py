"""Undoing changes of settings and neurons, on Qt's undo stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PyQt6.QtGui import QUndoCommand, QUndoStack

from ldam_studio.engine.changes.change import Change
from ldam_studio.sampler.settings import SETTINGS

DEPTH = 200  # changes that can be undone
PAUSE = 0.8  # seconds; turns of the wheel further apart than this are separate changes
MOMENT = "moment"  # key for a change that is undone by returning to the moment before it
MOST_MOMENTS = 5  # each of them keeps a copy of all chains and averages
MERGES = 1  # the id of commands that may be merged


class _Command(QUndoCommand):
    """One change on the undo stack: the values before and after it."""

    def __init__(
        self,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        text: str,
        when: float,
        *,
        dragged: bool = False,
        light: bool = False,
    ) -> None:
        super().__init__(text)
        self.before, self.after = dict(before), dict(after)
        self.when, self.dragged, self._light = when, dragged, light
        # A change of several settings is never merged with a later one.
        self.closed = self.is_moment or _are_several(self.after)

    @property
    def is_moment(self) -> bool:
        return MOMENT in self.before

    @property
    def is_heavy(self) -> bool:
        return self.is_moment and not self._light

    def id(self) -> int:
        return MERGES

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Merge a later change of the same value; if the value is the first again, drop both."""
        assert isinstance(other, _Command)
        same = list(self.after) == list(other.after)
        soon = other.dragged or other.when - self.when < PAUSE
        if self.closed or not same or not soon:
            return False
        self.after, self.when = other.after, other.when
        self.setText(_text(self.before, self.after))
        self.setObsolete(self.after == self.before)
        return True

    def add(self, later: _Command) -> None:
        """Take in a later change of the same drag, so that both are undone and redone as one."""
        if not self.is_moment:
            self.before = {MOMENT: (later.before, self.before)}
        self.after = {MOMENT: _joined(self.after, later.after)}
        self.closed = True


class Undo:
    """Remembers changes. A drag, quick turns of the wheel, or a preset counts as one change.

    It applies nothing itself: `undo` and `redo` return the values to set. Where a drag did several
    things, these are a tuple under the key `MOMENT`, in the order in which they are applied. The
    signals of `stack` carry the name of the change that would be undone, for the menu.

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
            The values before and after the change, by name.
        text
            Name of the change in the menu; empty for the name of the setting.
        """
        dragged = self._dragging in after
        named = f"{text}\n{text}" if text else _text(before, after)
        command = _Command(before, after, named, self._clock(), dragged=dragged)
        last = self._last()
        if dragged and last is not None and last is self._dragged and last.is_moment:
            last.add(command)
            return
        self.stack.push(command)
        if dragged and self._last() is command:  # it was not merged
            self._dragged = command

    def note_moment(
        self, before: object, again: object, text: str = "Restart", *, light: bool = False
    ) -> None:
        """Remember a change that cannot be undone by setting values.

        Changes of the same name during a drag count as one.

        Parameters
        ----------
        before
            The moment before the change; `undo` returns it under the key `MOMENT`.
        again
            The change itself; `redo` returns it under the key `MOMENT`.
        text
            Name of the change in the menu.
        light
            Whether the moment takes little memory, so that it is kept as long as other changes.
        """
        command = _Command({MOMENT: before}, {MOMENT: again}, text, self._clock(), light=light)
        last = self._last()
        same = last is not None and last is self._dragged and last.actionText() == text
        if self._dragging and last is not None and same:
            last.add(command)
        else:
            self.stack.push(command)
            if self._dragging:
                self._dragged = command
        done = [self._command(at) for at in range(self.stack.index())]
        moments = [c for c in done if c is not None and c.is_heavy and not c.isObsolete()]
        for command in moments[:-MOST_MOMENTS]:
            # Qt removes the command when undo reaches it; its memory is freed now.
            command.before = command.after = {MOMENT: None}
            command.setObsolete(True)

    def drag(self, name: str, begins: bool) -> None:
        """Begin or end a drag, whose changes count as one change."""
        if begins:
            self._dragged = None
        self._dragging = name if begins else ""
        last = self._last()
        if last is not None:
            last.closed = True

    def resume(self, name: str) -> None:
        """Continue the previous drag, so that a double click counts as one change."""
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
        """Forget everything, because another session opens."""
        self.stack.clear()
        self._dragging, self._dragged = "", None

    def _last(self) -> _Command | None:
        """Return the change that would be undone."""
        return self._command(self.stack.index() - 1)

    def _command(self, at: int) -> _Command | None:
        command = self.stack.command(at)
        return command if isinstance(command, _Command) else None


def _joined(done: Mapping[str, Any], again: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return what a drag has done, and then does again, with as few parts as possible."""
    parts = done.get(MOMENT)
    *former, last = parts if isinstance(parts, tuple) else (done,)
    if MOMENT in last and MOMENT in again:
        return (*former, {MOMENT: _both(last[MOMENT], again[MOMENT])})
    if MOMENT not in last and MOMENT not in again:
        return (*former, {**last, **again})
    return (*former, last, again)


def _both(first: object, again: object) -> object:
    """Return the change that two in a row make; chains to keep count those that were left."""
    if isinstance(first, Change) and isinstance(again, Change) and again.name == "keep":
        return replace(again, value=tuple(first.value[index] for index in again.value))
    return again


def _are_several(values: Mapping[str, Any]) -> bool:
    """Return whether several values were set; chains and their neurons count as one."""
    return len(values) > 1 and values.keys() != {"chains", "neurons"}


def _text(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the name of a change: in full, and on a second line a short form for the menu."""
    if _are_several(after):
        return "Settings"
    name = next(iter(after))
    if name not in SETTINGS:
        return name.capitalize()
    label = SETTINGS[name].label
    if SETTINGS[name].scale == "curve":
        return f"{label}\n{label}"
    return f"{label} {_words(before[name])} → {_words(after[name])}\n{label}"


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.4g}"
    return "mixed" if isinstance(value, tuple) else str(value)
