"""Sampling with a progress bar, and writing the files."""

from __future__ import annotations

import time
from pathlib import Path

from ldam_studio.commands.shared.progress import progress
from ldam_studio.engine.state import SessionState
from ldam_studio.export.exporting import draft
from ldam_studio.export.shown import Shown
from ldam_studio.scripting.arrays import archive_of, has_average
from ldam_studio.scripting.course import Course, Sampled

REDRAW_S = 0.1
"""Seconds between two updates of the progress bar."""


def sample(state: SessionState, steps: int, *, keep_activation: bool) -> Sampled:
    """Take `steps` steps, or fewer if Ctrl-C is pressed; raises as `Course.step` does."""
    with progress() as bar:
        task, drawn = bar.add_task("sampling", total=steps), time.monotonic()

        def on_step(done: int, _steps: int) -> None:
            nonlocal drawn
            if (now := time.monotonic()) - drawn > REDRAW_S:
                bar.update(task, completed=done)
                drawn = now

        return Course(state, steps, keep_activation=keep_activation).run(on_step)


def write(
    sampled: Sampled, shown: Shown, folder: Path, suffix: str, *, arrays: bool
) -> dict[str, Path]:
    """Write pictures with this `suffix`, and arrays if requested; return their paths.

    All files are written or none. There is no average if the run was interrupted before the first
    sample.
    """
    state = sampled.state
    pictures = {}
    if has_average(state):
        pictures["average"] = (folder / f"average{suffix}", shown)
    raw = Shown("strip", display=shown.display, zoom=shown.zoom)
    pictures["raw"] = (folder / f"raw{suffix}", raw)
    paths = {name: path for name, (path, _) in pictures.items()}
    others: dict[Path, bytes] = {}
    if arrays:
        paths["arrays"] = folder / "chains.npz"
        others[paths["arrays"]] = archive_of(sampled)
    made = draft(state, dict(pictures.values()))
    made.write(state, others)
    if (sidecar := made.exported[0].sidecar) is not None:
        paths["sidecar"] = sidecar
    for number, weights in enumerate(made.exported[0].weights):
        paths[f"weights {number + 1}" if number else "weights"] = weights
    return paths
