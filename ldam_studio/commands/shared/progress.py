"""Progress in the terminal, for the commands that train and sample without a window."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

from ldam_studio.progress import LONG_S, Listener, Stage, StageWords
from ldam_studio.training.progress import TrainingProgress

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as in shells."""

STOPPED = "stopped; nothing was written"
"""The text after Ctrl-C for a command without partial results."""

EVERY_S = 10.0
"""Seconds between two lines about progress when there is no bar."""

ESTIMATED_OVER_S = 300.0
"""Seconds over which a bar measures the speed; neurons of an atlas come in batches of 20 s."""


def progress() -> Progress:
    """Return a progress bar on standard error with the share that is done and the time left.

    Nothing is drawn unless standard error is a terminal.
    """
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
        speed_estimate_period=ESTIMATED_OVER_S,
    )


class Steps:
    """Counts sampler steps with a progress bar, which appears when `start` is called.

    Calling the object counts a step. As a context manager it removes the bar at the end.

    Parameters
    ----------
    title
        The text beside the bar.
    """

    def __init__(self, title: str) -> None:
        self._bar, self._title = progress(), title
        self._task: TaskID | None = None

    def __enter__(self) -> Steps:
        """Return the counter."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def start(self, total: int) -> None:
        """Show the bar; ``total`` is the number of all steps."""
        self._task = self._bar.add_task(self._title, total=total)
        self._bar.start()

    def __call__(self) -> None:
        """Count a step."""
        if self._task is not None:
            self._bar.advance(self._task)

    def say(self, line: str) -> None:
        """Print a line on standard output; rich would redirect it while the bar is shown."""
        self._bar.stop()
        print(line, flush=True)
        self._bar.start()


class TrainingBar(TrainingProgress):
    """Shows a training: a bar in a terminal, otherwise a line on standard output after each epoch.

    The bar appears with the first step, so that nothing is drawn if no training is needed. As a
    context manager it removes the bar at the end.

    Parameters
    ----------
    title
        The text before the first epoch has ended.
    prints
        Whether a line is printed for each epoch when there is no terminal.
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
        """Move the bar to `done` of `total` steps."""
        now = time.monotonic()
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=total)
            self._first = (done - 1, now)
        self._bar.update(self._task, completed=done)
        steps, seconds = done - self._first[0], now - self._first[1]
        self._left = seconds / steps * (total - done)

    def epoch(self, words: str) -> None:
        """Show the words beside the bar, or print them with the remaining time."""
        if self._task is not None:
            self._bar.update(self._task, description=words)
        if self._prints and self._bar.disable:
            print(f"{words}, about {self._left / 60:.0f} min left", flush=True)


class ProgressLines:
    """Prints a line about progress from time to time, if standard error is not a terminal.

    Parameters
    ----------
    doing
        What the command does, for example "replaying".
    clock
        Returns seconds from a monotonic clock.
    """

    def __init__(self, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._doing, self._clock = doing, clock
        self._silent = sys.stderr.isatty()
        self._first: tuple[int, float] | None = None
        self._said = 0.0

    def tell(self, done: int, total: int) -> None:
        """Record that `done` of `total` steps are done, and print a line if one is due."""
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
    """Return a duration in its largest unit or two, for example "3 min" or "2 h 5 min"."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def download(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far the opening of a network is; yield a function for a download's progress.

    The bar appears with the first bytes, or where opening takes longer than a moment. Without a
    terminal, a line says from time to time what is done.
    """
    opening = _Opening(name, Console(stderr=True))
    try:
        with Listener(opening.stage).heard_on():
            yield opening.bytes
    finally:
        opening.end()


class _Opening:
    """Says what the opening of a network does: with a bar or a spinner in a terminal, or in lines.

    Rich shows one of the two at a time.
    """

    def __init__(
        self, name: str, console: Console, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._clock = name, clock
        self._words = StageWords(clock)
        self._begun = self._said = clock()
        self._in_lines = not console.is_terminal
        self._spinner = console.status(name)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=self._in_lines,
        )
        self._task = self._bar.add_task(name)

    def bytes(self, had: int, size: int) -> None:
        """Show how far a download is."""
        self._spinner.stop()
        self._bar.start()
        self._bar.update(self._task, completed=had, total=size or None)

    def stage(self, stage: Stage) -> None:
        """Say what is done now, if opening takes long."""
        words, now = self._words.of(stage), self._clock()
        if self._in_lines:
            if now - self._said >= EVERY_S:
                self._said = now
                print(f"opening {self._name}: {words}", file=sys.stderr, flush=True)
        elif now - self._begun >= LONG_S:
            self._bar.stop()
            self._spinner.update(f"{self._name}: {words}")
            self._spinner.start()

    def end(self) -> None:
        """Take the bar and the spinner away."""
        self._spinner.stop()
        self._bar.stop()
