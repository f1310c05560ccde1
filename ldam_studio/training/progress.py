"""The interface through which a training reports its progress."""

from __future__ import annotations


class TrainingProgress:
    """Receives a training's progress and ignores it; a subclass shows it."""

    def step(self, done: int, total: int) -> None:
        """Receive the number of optimiser steps done, and the number of all steps."""

    def epoch(self, words: str) -> None:
        """Receive a line about a finished epoch."""
