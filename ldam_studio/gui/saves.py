"""Writes files on threads, says how far they are, and waits for them when the window closes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt

from ldam_studio.errors import StudioError
from ldam_studio.gui.task import Task
from ldam_studio.progress import StageWords, tell

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.gui.studio import Kind, Studio
    from ldam_studio.progress import Stage

LONGEST_MS = 60_000  # longest wait for each file when the window closes


@dataclass(frozen=True)
class _Saving:
    """Where a file goes, and why that failed, once it has."""

    path: Path
    errors: list[StudioError] = field(default_factory=list)


class Saves:
    """Writes the files of one feature, one after the other.

    Two at once could mix their files, and each may hold copies of large weights.

    Parameters
    ----------
    studio
        The port, in whose message bar each file has a line.
    name
        Name of the threads.
    """

    def __init__(self, studio: Studio, name: str) -> None:
        self._studio, self._name = studio, name
        self._turn = threading.Lock()
        self._saving: dict[Task, _Saving] = {}

    def start(self, path: Path, write: Callable[[], str], *, stoppable: bool = False) -> None:
        """Write a file on a thread of its own.

        Parameters
        ----------
        write
            Writes it, and returns what is said then.
        stoppable
            Whether `write` can be stopped, which the message bar offers then.
        """
        saving, words = _Saving(path), StageWords()
        task = self.task(write)
        # On the task's thread: a window that closes takes no signals.
        direct = Qt.ConnectionType.DirectConnection
        task.failed.connect(saving.errors.append, direct)  # type: ignore[call-arg]
        task.done.connect(partial(self._end, task, path, kind="info"))
        task.failed.connect(lambda error: self._end(task, path, str(error), kind="danger"))
        task.staged.connect(partial(self._tell, path, words))
        self._saving[task] = saving
        stop = (("Cancel", partial(self._cancel, task, path)),) if stoppable else ()
        self._studio.notices.say(f"Saving {path} …", actions=stop, key=str(path))
        task.start()

    def task(self, write: Callable[[], object]) -> Task:
        """Return a task that writes once what was begun before it is written."""

        def work(_task: Task) -> object:
            with self._turn:
                tell("waiting")  # ends what was left meanwhile
                return write()

        task = Task(work)
        task.setObjectName(self._name)
        return task

    def close(self) -> None:
        """Wait until all files are written; the terminal is told of those that are not."""
        for task, saving in self._saving.items():
            late = not task.wait(LONGEST_MS)
            task.leave()
            if late:
                saving.errors.append(StudioError(f"{saving.path} took too long to be written."))
            for error in saving.errors:
                print(f"ldam-studio: {error}", file=sys.stderr)
        self._saving.clear()

    def _tell(self, path: Path, words: StageWords, stage: Stage) -> None:
        self._studio.notices.retell(str(path), f"Saving {path}: {words.of(stage)} …")

    def _end(self, task: Task, path: Path, said: str, *, kind: Kind) -> None:
        del self._saving[task]
        task.leave()
        self._studio.notices.say(said, kind, key=str(path))

    def _cancel(self, task: Task, path: Path) -> None:
        if self._saving.pop(task, None) is not None:
            task.leave()
            self._studio.notices.say(f"Saving {path} was stopped.", key=str(path))
