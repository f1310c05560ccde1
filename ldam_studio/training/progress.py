"""What a training reports while it runs."""

from __future__ import annotations


class TrainingProgress:
    """Receives a training's progress and ignores it; a subclass shows it."""

    def step(self, done: int, total: int) -> None:
        """Receive the numbers of optimiser steps done and in all."""

    def epoch(self, words: str) -> None:
        """Receive a line about an epoch that has ended."""
