"""A network whose layers can be compared with photographs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from typing import Any, Self, TypeVar

from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.statistics.batch_norm import of_batch_norms
from ldam_studio.networks.statistics.finding import (
    are_shipped,
    find_statistics,
    statistics_by_hash,
)
from ldam_studio.networks.statistics.measuring import CHANNELS, layers_of
from ldam_studio.networks.statistics.statistics import PhotoStatistics, key_of
from ldam_studio.progress import tell
from ldam_studio.sampler.moments import Expected

T = TypeVar("T")

NO_FILE = ""
"""Stands in a recipe for statistics without a file."""

DEPENDENT = ("statistics", "file", "expected", "comparing")
"""What is remembered under keys that begin with these depends on the statistics."""


class Compared(Forward):
    """A module that remembers what was measured on it, and its statistics of photographs.

    The parameters are those of `Forward`.

    Attributes
    ----------
    statistics_sha256
        SHA-256 of the statistics that a recipe names, `NO_FILE` for those that batch norms give;
        None to find those for the weights.
    """

    def __init__(self, name: str, module: nn.Module, pixels: PixelSpec) -> None:
        super().__init__(name, module, pixels)
        self.statistics_sha256: str | None = None
        self._compares = False
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

        def find() -> PhotoStatistics | None:
            tell("looking for statistics of photographs")
            return self._in_file() or of_batch_norms(self)

        return self.remembered(("statistics",), find)

    @property
    def ships_statistics(self) -> bool:
        """Whether the statistics for its weights ship with the program."""
        return self.remembered(("shipped",), lambda: are_shipped(self._key))

    @property
    def can_be_compared(self) -> bool:
        """Whether photographs can be measured: it takes such images and has suitable layers."""
        return self.pixels.channels in CHANNELS and bool(self._measurable)

    def can_be_compared_before(self, layer: str) -> bool:
        """Return whether photographs could be measured at layers before this one."""
        names = [known.name for known in self.layers]
        before = names[: names.index(layer)]
        return self.can_be_compared and any(name in before for name in self._measurable)

    @property
    def _measurable(self) -> tuple[str, ...]:
        return self.remembered(("measurable",), lambda: layers_of(self))

    def use_statistics(self) -> None:
        """Find the statistics; a recipe tells from now on also if they have no file.

        Otherwise a replay would use what has been measured since. Raises as `photo_statistics`
        does.
        """
        self.photo_statistics  # noqa: B018 - remembered
        self._compares = True

    @property
    def named_statistics(self) -> dict[str, str]:
        """What a recipe says of the statistics; it is found without running the network."""
        try:
            found = self._in_file()
        except StudioError:  # reported where they are needed
            return {"statistics": self.statistics_sha256} if self.statistics_sha256 else {}
        if found is not None:
            return {"statistics": found.sha256}
        named = self._compares or self.statistics_sha256 == NO_FILE
        return {"statistics": NO_FILE} if named else {}

    def forget_statistics(self) -> None:
        """Find the statistics anew, for other weights."""
        self.statistics_sha256, self._compares = None, False

    def is_measured_by(self, statistics: PhotoStatistics) -> bool:
        """Return whether statistics were measured with these weights."""
        return statistics.key == self._key

    def comparing(self, statistics: PhotoStatistics) -> Self:
        """Return this network with other statistics; it shares the module and what was measured.

        It is the same object for the same statistics.

        Raises
        ------
        StudioError
            If they are those of another network.
        """
        found = self._remembered.get(("file",))
        if found is not None and found.sha256 == statistics.sha256:
            return self
        self._check_suits(statistics)
        return self.remembered(("comparing", statistics.sha256), lambda: self._with(statistics))

    def _with(self, statistics: PhotoStatistics) -> Self:
        twin = copy.copy(self)
        twin.statistics_sha256 = statistics.sha256
        known = self._remembered.copy()  # another thread may be adding to it
        twin._remembered = {key: value for key, value in known.items() if key[0] not in DEPENDENT}
        twin._remembered["statistics",] = twin._remembered["file",] = statistics
        return twin

    @property
    def _key(self) -> str:
        return self.remembered(("key",), lambda: key_of(self.module))

    def _in_file(self) -> PhotoStatistics | None:
        return self.remembered(("file",), self._find_file)

    def _find_file(self) -> PhotoStatistics | None:
        if self.statistics_sha256:
            named = statistics_by_hash(self.statistics_sha256)
            self._check_suits(named)
            return named
        found = find_statistics(self._key) if self.statistics_sha256 is None else None
        return found if found is not None and self._suits(found) else None

    def _check_suits(self, statistics: PhotoStatistics) -> None:
        if not self._suits(statistics):
            raise StudioError(
                f"The photo statistics with SHA-256 {statistics.sha256[:12]}... are not those of "
                f"{self.name}; use the picture or session as it was saved."
            )

    def _suits(self, statistics: PhotoStatistics) -> bool:
        """Return whether statistics are those of layers that this network has."""
        own = {layer.name: layer for layer in self.layers}
        return all(
            name in own and len(own[name].shape) == 3 and own[name].neurons == channels
            for name, channels in zip(statistics.layers, statistics.channels, strict=True)
        )

    def expected(self, side: int, layer: str) -> Expected | None:
        """Return what photographs give before a layer, for images of about this size.

        `side` is the shorter side of an image, in pixels. None if there are no statistics.
        """
        return self.remembered(("expected", side, layer), lambda: self._expected(side, layer))

    def _expected(self, side: int, layer: str) -> Expected | None:
        statistics = self.photo_statistics
        if statistics is None or self.layer(layer).alone:
            return None
        names = [known.name for known in self.layers]
        return statistics.expected(side, names[: names.index(layer)], self.device)
