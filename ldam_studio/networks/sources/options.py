"""How a network is opened, besides its name and weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.download import OnBytes

FORMER = ""


@dataclass(frozen=True)
class Options:
    """How to open a network, besides its name and weights.

    Attributes
    ----------
    pixels
        Its input, if the source does not specify it. A built-in network takes only its own.
    labels
        The names of the classes, or a text file with one per line; "imagenet" for ImageNet's 1,000.
    partial
        Accept a weights file of which only a part fits.
    untrained
        If no file is given, keep the random initial weights, which are the same each time.
    steady
        Leave out the dropout of a network that draws random numbers when it is run; its other
        random numbers are then the same in every step.
    behaviour
        How forward passes are made, as a recipe records it, see `behaviour.RECORDED`; None if it
        is found out.
    weights_key
        Dotted name of the set of weights, if the file has several.
    random_seed
        If no file is given, draw random weights with this seed.
    on_bytes
        Called during a download, see `download.fetch`.
    class_layer
        The layer whose neurons are the classes. None stands for the output of the network that has
        as many neurons as there are labels, else for its likeliest one; `FORMER` for the layer that
        0.1.0 took.
    """

    pixels: PixelSpec | None = None
    labels: Path | tuple[str, ...] | None = None
    partial: bool = False
    untrained: bool = False
    steady: bool = False
    behaviour: tuple[str, ...] | None = None
    on_bytes: OnBytes | None = None
    class_layer: str | None = None
    weights_key: str | None = None
    random_seed: int | None = None

    @property
    def builds_only(self) -> bool:
        """Whether a network without a file keeps the weights that it is built with."""
        return self.untrained or self.random_seed is not None
