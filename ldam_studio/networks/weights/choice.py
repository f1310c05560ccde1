"""What ``--weights`` names: a file, one of several sets of weights in it, or random weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError

SEPARATOR = "::"
RANDOM = "random"
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class WeightsChoice:
    """A choice of weights.

    Attributes
    ----------
    file
        The file; None for random weights.
    key
        Dotted name of the set in the file; None for the one that fits best.
    seed
        Seed of random weights; None for those of a file.
    """

    file: Path | None = None
    key: str | None = None
    seed: int | None = None

    @classmethod
    def parse(cls, text: str) -> WeightsChoice:
        """Read ``FILE``, ``FILE::KEY``, ``random`` or ``random:SEED``.

        Raises
        ------
        StudioError
            If the seed is not a whole number.
        """
        word, colon, seed = text.partition(":")
        if word == RANDOM and not seed.startswith(":"):
            if colon and not (seed.isascii() and seed.isdecimal() and int(seed) <= MOST_SEED):
                raise StudioError(f"The seed of random weights is a whole number, not {seed!r}.")
            return cls(seed=int(seed or 0))
        file, separator, key = text.rpartition(SEPARATOR)
        if not separator or not file or os.path.exists(text):
            return cls(Path(text))
        return cls(Path(file), key)

    @property
    def name(self) -> str:
        """The choice in words, without folders."""
        if self.file is None:
            return f"{RANDOM}:{self.seed}" if self.seed else RANDOM
        return self.file.name + ("" if self.key is None else f"{SEPARATOR}{self.key}")
