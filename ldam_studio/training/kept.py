"""Trainings that are kept in a file as they go, so that they can be resumed from there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.training.classifier import ClassifierRun
from ldam_studio.training.classifier_recipes import ClassifierRecipe
from ldam_studio.training.resume import load_run, save_run

RUN_FILE = "run.pt"
"""File name of a kept training, in the folder that it writes to."""


class Kept:
    """How much of a training its file holds.

    Parameters
    ----------
    path
        The file.
    unit, of
        What is counted ("epoch" or "round"), and how many of them the training has.

    Attributes
    ----------
    done
        How many of them the file holds; 0 before anything was kept.
    """

    def __init__(self, path: Path, unit: str, of: int) -> None:
        self.path, self.unit, self.of = path, unit, of
        self.done = 0
        self._seconds, self._since = 0.0, time.monotonic()

    def total(self) -> float:
        """Return the seconds that the training has taken, without the time between two runs."""
        return self._seconds + time.monotonic() - self._since

    def mark(self, done: int, seconds: float) -> None:
        """Note how much the file now holds, and how many seconds that took."""
        self.done, self._seconds, self._since = done, seconds, time.monotonic()


class KeptRun(Kept):
    """How much of a classifier's training its file holds.

    Parameters
    ----------
    recipe
        How it is trained.
    flags
        Values by name that also decide the weights, such as the seed.
    """

    def __init__(self, path: Path, recipe: ClassifierRecipe, **flags: int) -> None:
        super().__init__(path, "epoch", recipe.epochs)
        self._recipe, self._flags = recipe, flags

    def load(self, run: ClassifierRun) -> dict[str, Any]:
        """Bring a fresh run to the state in the file; return what was saved `beside` it.

        Raises
        ------
        StudioError
            The file is missing or damaged, or belongs to a run with other settings.
        """
        beside = load_run(run, self._recipe, self.path)
        for flag, given in self._flags.items():
            known = beside.get(flag, given)
            if known != given:
                raise StudioError(
                    f"{self.path} is of a run with --{flag} {known}, not {given}; give the same, "
                    "or start anew."
                )
        self.mark(run.epoch, beside.get("seconds", 0.0))
        return beside

    def save(self, run: ClassifierRun, beside: Mapping[str, Any] | None = None) -> None:
        """Save a run after an epoch, and `beside` it what else is needed to resume it."""
        seconds = self.total()
        known = {**self._flags, "seconds": seconds, **(beside or {})}
        save_run(run, self._recipe, self.path, known)
        self.mark(run.epoch, seconds)
