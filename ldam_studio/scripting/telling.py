"""Progress of a run: none, a bar, or a function of the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ldam_studio.scripting.course import OnStep

DOING = "sampling"


@contextmanager
def telling(progress: bool | OnStep, doing: str = DOING) -> Iterator[OnStep]:
    """Yield the function to call after each step: the caller's, one that moves a bar, or none."""
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda _done, _total: None
    else:
        # Only here, because it takes a while to import.
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        silent = not (console.is_terminal or console.is_jupyter)
        with Progress(console=console, transient=True, disable=silent) as bar:
            # It is shown when there is something to tell.
            task = bar.add_task(doing, total=None, visible=False)
            yield lambda done, total: bar.update(
                task, completed=done, total=total or None, visible=True
            )
