"""Trainings whose state is saved to a file regularly, so that they can be resumed."""

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
"""Name of the file with a training's saved state, in the training's output folder."""


class Kept:
    """The part of a training that its file contains.

    Parameters
    ----------
    path
        The file.
    unit, of
        The unit in which progress is counted ("epoch" or "round"), and the total number of units.

    Attributes
    ----------
    done
        Number of units that are saved in the file; 0 before anything was saved.
    """

    def __init__(self, path: Path, unit: str, of: int) -> None:
        self.path, self.unit, self.of = path, unit, of
        self.done = 0
        self._seconds, self._since = 0.0, time.monotonic()

    def total(self) -> float:
        """Return the seconds that the training has taken, without the time between two runs."""
        return self._seconds + time.monotonic() - self._since

    def mark(self, done: int, seconds: float) -> None:
        """Record how many units the file now contains, and how many seconds they took."""
        self.done, self._seconds, self._since = done, seconds, time.monotonic()


class KeptRun(Kept):
    """The part of a classifier's training that its file contains.

    Parameters
    ----------
    recipe
        How it is trained.
    flags
        Other values by name that determine the weights, for example the seed.
    """

    def __init__(self, path: Path, recipe: ClassifierRecipe, **flags: int) -> None:
        super().__init__(path, "epoch", recipe.epochs)
        self._recipe, self._flags = recipe, flags

    def load(self, run: ClassifierRun) -> dict[str, Any]:
        """Restore a new run to the state in the file; return what was saved `beside` it.

        Raises
        ------
        StudioError
            If the file is missing or damaged, or belongs to a run with other settings.
        """
        beside = load_run(run, self._recipe, self.path)
        for flag, given in self._flags.items():
            known = beside.get(flag, given)
            if known != given:
                raise StudioError(
                    f"{self.path} belongs to a run with --{flag} {known}, not {given}; use the "
                    "same value, or start a new run."
                )
        self.mark(run.epoch, beside.get("seconds", 0.0))
        return beside

    def save(self, run: ClassifierRun, beside: Mapping[str, Any] | None = None) -> None:
        """Save a run after an epoch, together with other data that is needed to resume it."""
        seconds = self.total()
        known = {**self._flags, "seconds": seconds, **(beside or {})}
        save_run(run, self._recipe, self.path, known)
        self.mark(run.epoch, seconds)
