"""Trainings that are kept in their folder as they go, so that --resume goes on with them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.training.classifier import ClassifierRecipe, ClassifierRun
from ldam_studio.training.resume import load_run, save_run

RUN_FILE = "run.pt"
"""The training as its last whole epoch left it, or so many rounds."""


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Declare the flag."""
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


class Kept:
    """How much of a training its file holds.

    Parameters
    ----------
    path
        Of the file.
    unit, of
        What is counted, and how many of them the training has.
    """

    def __init__(self, path: Path, unit: str, of: int) -> None:
        self.path, self._unit, self._of = path, unit, of
        self._done, self._seconds, self._since = 0, 0.0, time.monotonic()

    def total(self) -> float:
        """Return the seconds that the training took until now, without those it rested."""
        return self._seconds + time.monotonic() - self._since

    def stopped(self) -> str:
        """Return what to say after Ctrl-C."""
        if not self._done:
            return f"stopped before the first {self._unit} was kept; start it again"
        done = f"stopped, {self._unit} {self._done} of {self._of} is the last that was kept"
        return f"{done}; --resume goes on from there"

    def mark(self, done: int, seconds: float) -> None:
        """Note what the file now holds, and how long that took."""
        self._done, self._seconds, self._since = done, seconds, time.monotonic()


class KeptRun(Kept):
    """A classifier's.

    Parameters
    ----------
    recipe
        How it is trained.
    flags
        Values by name on which the weights depend, too.
    """

    def __init__(self, path: Path, recipe: ClassifierRecipe, **flags: int) -> None:
        super().__init__(path, "epoch", recipe.epochs)
        self._recipe, self._flags = recipe, flags

    def load(self, run: ClassifierRun) -> dict[str, Any]:
        """Put a fresh run to where it was kept; returns what was kept `beside` it.

        Raises
        ------
        StudioError
            There is no such file, it is damaged, or is of a run with other settings.
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
        """Keep a run after an epoch, and what is wanted `beside` it."""
        seconds = self.total()
        known = {**self._flags, "seconds": seconds, **(beside or {})}
        save_run(run, self._recipe, self.path, known)
        self.mark(run.epoch, seconds)
