"""Progress on the terminal of the commands that train and sample without a window."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ldam_studio.training.progress import TrainingProgress

Found = TypeVar("Found")

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

EVERY_S = 10.0
"""Seconds between two lines about progress where no bar can be drawn."""


def progress() -> Progress:
    """Return a bar with share and time left, on standard error where that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class TrainingBar(TrainingProgress):
    """Shows a training: a bar on a terminal, else a line on standard output after each epoch.

    The bar appears with the first step, so that nothing is drawn where no training is needed. Use
    it as a context manager, which removes the bar.

    Parameters
    ----------
    title
        What is shown before the first epoch has ended.
    prints
        Whether epochs are printed where there is no terminal.
    """

    def __init__(self, title: str, *, prints: bool = True) -> None:
        self._bar, self._title, self._prints = progress(), title, prints
        self._task: TaskID | None = None
        self._first = (0, 0.0)
        self._left = 0.0

    def __enter__(self) -> TrainingBar:
        """Return the bar."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def step(self, done: int, total: int) -> None:
        """Move the bar to so many of all steps."""
        now = time.monotonic()
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=total)
            self._first = (done - 1, now)
        self._bar.update(self._task, completed=done)
        steps, seconds = done - self._first[0], now - self._first[1]
        self._left = seconds / steps * (total - done)

    def epoch(self, words: str) -> None:
        """Put the words beside the bar, or print them with the time that is left."""
        if self._task is not None:
            self._bar.update(self._task, description=words)
        if self._prints and self._bar.disable:
            print(f"{words}, about {self._left / 60:.0f} min left", flush=True)


class ProgressLines:
    """Says on standard error now and then how far a command is, where that is no terminal.

    Parameters
    ----------
    doing
        What the command does, such as "replaying".
    clock
        Seconds that only grow.
    """

    def __init__(self, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._doing, self._clock = doing, clock
        self._silent = sys.stderr.isatty()
        self._first: tuple[int, float] | None = None
        self._said = 0.0

    def tell(self, done: int, total: int) -> None:
        """Take note that so many of all steps are done, and say so if it is time to."""
        now = self._clock()
        if self._first is None:
            self._first, self._said = (done, now), now
            self._say(f"{self._doing} {in_steps(total)}")
        elif now - self._said >= EVERY_S and done < total:
            self._said = now
            steps, seconds = done - self._first[0], now - self._first[1]
            left = in_words(seconds / steps * (total - done))
            self._say(f"{self._doing}: {done / total:.0%} of {in_steps(total)}, about {left} left")

    def _say(self, line: str) -> None:
        if not self._silent:
            print(line, file=sys.stderr, flush=True)


def in_steps(count: int) -> str:
    """Return a number of steps in words."""
    return "1 step" if count == 1 else f"{count:,} steps"


def in_words(seconds: float) -> str:
    """Return a duration in its largest unit or two, such as "3 min" or "2 h 5 min"."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def in_turn(
    title: str, steps: int, jobs: Iterable[Callable[[Callable[[], None]], Found]]
) -> list[Found] | None:
    """Run jobs one after another under one progress bar.

    Parameters
    ----------
    steps
        Of all jobs together.
    jobs
        Each is given what to call after each of its steps.

    Returns
    -------
    list or None
        What the jobs returned; None after Ctrl-C, which is said on standard output.
    """
    try:
        with progress() as bar:
            task = bar.add_task(title, total=steps)
            return [job(lambda: bar.advance(task)) for job in jobs]
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return None


@contextmanager
def download(name: str) -> Iterator[Callable[[int, int], None]]:
    """Give what tells a download's progress; a bar is there from the first bytes on."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(name)

    def tell(had: int, size: int) -> None:
        bar.start()
        bar.update(task, completed=had, total=size or None)

    try:
        yield tell
    finally:
        bar.stop()
