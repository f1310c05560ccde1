"""Progress on the terminal of the commands that train and sample without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Found = TypeVar("Found")

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""


def progress() -> Progress:
    """Return a progress bar with the time left, on standard error where that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


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
