"""What a training reports while it runs."""

from __future__ import annotations


class TrainingProgress:
    """Receives a training's progress and ignores it; a subclass shows it."""

    def step(self, done: int, total: int) -> None:
        """Take note that so many of all optimiser steps are done."""

    def epoch(self, words: str) -> None:
        """Take note of an epoch that has ended; the words say how it went."""
