"""A network whose layers can be compared with photographs."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.statistics.batch_norm import of_batch_norms
from ldam_studio.networks.statistics.finding import find_statistics, statistics_by_hash
from ldam_studio.networks.statistics.statistics import PhotoStatistics
from ldam_studio.sampler.moments import Expected

T = TypeVar("T")


class Compared(Forward):
    """A module that remembers what was measured on it, and its statistics of photographs.

    The parameters are those of `Forward`.

    Attributes
    ----------
    statistics_sha256
        SHA-256 of the statistics that a recipe names; None to find those for the weights.
    """

    def __init__(self, name: str, module: nn.Module, pixels: PixelSpec) -> None:
        super().__init__(name, module, pixels)
        self.statistics_sha256: str | None = None
        self._remembered: dict[Any, Any] = {}

    def remembered(self, key: Hashable, measure: Callable[[], T]) -> T:
        """Return the result of `measure`, which is called only once for each `key`."""
        if key not in self._remembered:
            self._remembered[key] = measure()
        found: T = self._remembered[key]
        return found

    @property
    def photo_statistics(self) -> PhotoStatistics | None:
        """The moments of photographs at its layers; None if there are none for its weights.

        Raises
        ------
        StudioError
            If the file is damaged, or it was named by its hash and is not on this computer.
        """
        return self.remembered(("statistics",), self._find_statistics)

    @property
    def named_statistics(self) -> dict[str, str]:
        """What a recipe says of the statistics; nothing if they have no file."""
        try:
            found = self.photo_statistics
        except StudioError:  # reported where they are needed
            return {}
        return {"statistics": found.sha256} if found is not None and found.sha256 else {}

    def compare_with(self, statistics: PhotoStatistics) -> None:
        """Use these statistics from now on."""
        for key in [key for key in self._remembered if key[0] == "expected"]:
            del self._remembered[key]
        self._remembered["statistics",] = statistics

    def _find_statistics(self) -> PhotoStatistics | None:
        if self.statistics_sha256 is not None:
            return statistics_by_hash(self.statistics_sha256)
        found = find_statistics(self.module)
        if found is not None and set(found.layers) <= {layer.name for layer in self.layers}:
            return found
        return of_batch_norms(self)

    def expected(self, side: int, layer: str) -> Expected | None:
        """Return what photographs give before a layer, for images of about this size.

        `side` is the shorter side of an image, in pixels. None if there are no statistics.
        """
        return self.remembered(("expected", side, layer), lambda: self._expected(side, layer))

    def _expected(self, side: int, layer: str) -> Expected | None:
        statistics = self.photo_statistics
        if statistics is None:
            return None
        names = [known.name for known in self.layers]
        return statistics.expected(side, names[: names.index(layer)], self.device)
