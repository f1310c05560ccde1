"""Where a network and its weights come from: what a recipe needs to find it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ldam_studio.networks.pixels import PixelSpec


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, and the SHA-256 of its content when it was read."""

    weights: Path
    sha256: str


@dataclass(frozen=True)
class Matching:
    """How the names in a file of weights are matched with those of the network.

    Attributes
    ----------
    new_name
        Gives today's name for one of the file's, where a library has renamed its weights.
    spare
        Prefixes of weights that a file may lack, because they are used in training only.
    partial
        Whether a file may fit in part only.
    missing
        Weights that the file lacked with which the network was opened; they keep the values of
        their initialisation. None if it was opened without a file.
    """

    new_name: Callable[[str], str] | None = None
    spare: tuple[str, ...] = ()
    partial: bool = False
    missing: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Provenance:
    """How a network was opened.

    Attributes
    ----------
    sha256
        Of its weights.
    weights
        The file of its weights; None for shipped, published or own code's weights.
    given_pixels, given_labels
        The input and the file of class names that a person gave; None where they did not.
    partial
        Whether the file may fit in part only.
    untrained
        Whether the weights are random.
    mean_of
        The files whose mean the weights are, the newest last; empty otherwise.
    matching
        How later files of weights are read.
    notes
        Sentences for the person about what was done in opening it.
    """

    sha256: str = ""
    weights: Path | None = None
    given_pixels: PixelSpec | None = None
    given_labels: Path | None = None
    partial: bool = False
    untrained: bool = False
    mean_of: tuple[WeightsFile, ...] = ()
    matching: Matching = Matching()
    notes: tuple[str, ...] = ()

    def reference(self, name: str) -> dict[str, Any]:
        """Return what a recipe keeps of the network of that name, in JSON's types."""
        weights = None if self.weights is None else str(self.weights)
        found: dict[str, Any] = {"name": name, "weights": weights, "sha256": self.sha256}
        # Only what the name does not imply.
        if self.given_pixels is not None:
            found["pixels"] = asdict(self.given_pixels)
        if self.given_labels is not None:
            found["labels"] = str(self.given_labels)
        if self.partial:
            found["partial"] = True
        if self.untrained:
            found["untrained"] = True
        if self.mean_of:
            found["mean_of"] = [
                {"weights": str(file.weights), "sha256": file.sha256} for file in self.mean_of
            ]
        return found
