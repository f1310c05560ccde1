"""Where a network and its weights come from, so that a recipe can find them again."""

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
    """How the names in a weights file are matched with those of the network.

    Attributes
    ----------
    new_name
        Returns the present name of a weight, if the library has renamed its weights.
    spare
        Prefixes of weights that a file may lack, because they are used only in training.
    partial
        Whether a file may fit only in part.
    missing
        Weights that were not in the file with which the network was opened; they keep their initial
        values. None if it was opened without a file.
    key
        Dotted name of the set of weights, where files have several; None for the best.
    """

    new_name: Callable[[str], str] | None = None
    spare: tuple[str, ...] = ()
    partial: bool = False
    missing: tuple[str, ...] | None = None
    key: str | None = None


@dataclass(frozen=True)
class Provenance:
    """How a network was opened.

    Attributes
    ----------
    sha256
        SHA-256 of its weights.
    weights
        The file of its weights; None for weights that are shipped, published or made by own code.
    given_pixels, given_labels, given_class_layer
        The input, the file of class names and the layer of the classes that the user specified;
        None if not specified.
    partial
        Whether the file may fit only in part.
    weights_key
        Dotted name of the set of weights that was taken, if the file has several or it was chosen.
    sets
        The sets of weights in the file that fit, if there are several.
    untrained
        Whether the weights are those that the network has when it is built.
    random_seed
        Seed with which its weights were drawn; None if they were not.
    mean_of
        The files whose mean the weights are, the newest last; empty otherwise.
    matching
        How later weights files are read.
    notes
        Sentences for the user about what was done when the network was opened.
    """

    sha256: str = ""
    weights: Path | None = None
    given_pixels: PixelSpec | None = None
    given_labels: Path | None = None
    given_class_layer: str | None = None
    partial: bool = False
    weights_key: str | None = None
    sets: tuple[str, ...] = ()
    untrained: bool = False
    random_seed: int | None = None
    mean_of: tuple[WeightsFile, ...] = ()
    matching: Matching = Matching()
    notes: tuple[str, ...] = ()

    def reference(self, name: str) -> dict[str, Any]:
        """Return the description of the network with this name for a recipe, in JSON's types."""
        weights = None if self.weights is None else str(self.weights)
        found: dict[str, Any] = {"name": name, "weights": weights, "sha256": self.sha256}
        # Include only what does not follow from the name.
        if self.given_pixels is not None:
            found["pixels"] = asdict(self.given_pixels)
        if self.given_labels is not None:
            found["labels"] = str(self.given_labels)
        if self.partial:
            found["partial"] = True
        if self.weights_key is not None:
            found["weights_key"] = self.weights_key
        if self.untrained:
            found["untrained"] = True
        if self.random_seed is not None:
            found["random_seed"] = self.random_seed
        if self.mean_of:
            found["mean_of"] = [
                {"weights": str(file.weights), "sha256": file.sha256} for file in self.mean_of
            ]
        return found
