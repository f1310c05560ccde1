"""Commands to a running session, in one queue that keeps their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeAlias

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import CHANGES
from ldam_studio.engine.state import SessionState
from ldam_studio.sampler.settings import is_of_chains


@dataclass(frozen=True)
class Question:
    """A function to call with the session's state; `answer` gets what it returns or raises.

    `ask` may read the state and copy from it (`snapshot`), but it must neither keep nor change it.
    """

    ask: Callable[[SessionState], Any]
    answer: Future[Any]


@dataclass(frozen=True)
class ReturnTo:
    """Return the session to a snapshot, or to the snapshot that a question asked for.

    Nothing happens if that question was cancelled or failed.
    """

    moment: SessionState | Future[SessionState]


@dataclass(frozen=True)
class Steps:
    """Take `count` steps and pause; later commands wait until these steps are taken."""

    count: int


@dataclass(frozen=True)
class Play:
    """Run."""


@dataclass(frozen=True)
class Pause:
    """Pause after the step in progress."""


@dataclass(frozen=True)
class MaxRate:
    """Take at most `value` steps per second; 0 sets no limit."""

    value: int


Command: TypeAlias = Change | Question | ReturnTo | Steps | Play | Pause | MaxRate


class CommandQueue:
    """Commands in the order in which they were posted, from any thread; posting never blocks.

    A change of a setting replaces the last waiting command if that one changes the same setting of
    the same lane, so that dragging a slider does not fill the queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Command]] = deque()
        self._posted = 0

    def post(self, command: Command) -> int:
        """Add a command and return its number; commands are numbered from 1."""
        with self._lock:
            self._posted += 1
            if self._waiting and _replaces(command, self._waiting[-1][1]):
                self._waiting.pop()
            self._waiting.append((self._posted, command))
            return self._posted

    def take(self) -> tuple[int, Command] | None:
        """Remove and return the oldest command with its number; None if the queue is empty."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def is_urgent(self) -> bool:
        """Return whether a change is waiting that makes the step in progress useless."""
        with self._lock:
            return any(_is_urgent(command) for _, command in self._waiting)

    def settings(self) -> tuple[int, list[Change]] | None:
        """Return the waiting changes of settings, and the number of the last one.

        None if there are none, or if commands wait, too, that do more than ask.
        """
        with self._lock:
            waiting = [(n, c) for n, c in self._waiting if not isinstance(c, Question)]
        changes = [c for _, c in waiting if isinstance(c, Change) and is_of_chains(c.name)]
        if not changes or len(changes) < len(waiting):
            return None
        return waiting[-1][0], changes

    def __len__(self) -> int:
        """Return the number of waiting commands."""
        return len(self._waiting)


def _is_urgent(command: Command) -> bool:
    kind = CHANGES.get(command.name) if isinstance(command, Change) else None
    return kind is not None and kind.looks_elsewhere


def _replaces(new: Command, waiting: Command) -> bool:
    return (
        isinstance(new, Change)
        and isinstance(waiting, Change)
        and is_of_chains(new.name)
        and (new.name, new.lane) == (waiting.name, waiting.lane)
    )
