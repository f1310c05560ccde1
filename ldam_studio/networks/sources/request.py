"""A request to open a network, and the list of recent requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.files import read_state, set_aside, write_state
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.families import runs_code, short_name
from ldam_studio.networks.sources.labels import IMAGENET
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.choice import WeightsChoice

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.download import OnBytes

MOST = 8  # a longer menu would be hard to read
VERSION = 1


@dataclass(frozen=True)
class NetworkRequest:
    """Everything that is needed to open a network; see `opening.open_network`."""

    name: str
    weights: Path | None = None
    labels: Path | None = None
    partial: bool = False
    pixels: PixelSpec | None = None
    steady: bool = False
    class_layer: str | None = None
    weights_key: str | None = None
    random_seed: int | None = None

    @classmethod
    def like(cls, network: Network) -> NetworkRequest:
        """Return a request for a network as it was opened, but with its own weights."""
        given = network.provenance
        return cls(
            network.name,
            labels=given.given_labels,
            partial=given.partial,
            pixels=given.given_pixels,
            steady=network.behaviour.steady,
            class_layer=given.given_class_layer,
        )

    @classmethod
    def same(cls, network: Network) -> NetworkRequest:
        """Return a request for a network as it was opened, with the same weights."""
        given = network.provenance
        return replace(
            cls.like(network),
            weights=given.weights,
            weights_key=given.weights_key,
            random_seed=given.random_seed,
        )

    @property
    def runs_code(self) -> bool:
        """Whether opening it runs the user's own code."""
        return runs_code(self.name)

    @property
    def title(self) -> str:
        """Its title in a menu, without folders."""
        choice = WeightsChoice(self.weights, self.weights_key, self.random_seed)
        plain = self.weights is None and self.random_seed is None
        return short_name(self.name) + ("" if plain else f" · {choice.name}")

    def open(self, on_bytes: OnBytes | None = None) -> Network:
        """Open the network; raise `StudioError` if that fails."""
        return open_network(self.name, self.weights, replace(self.options, on_bytes=on_bytes))

    @property
    def options(self) -> Options:
        """How to open the network, besides its name and weights."""
        return Options(
            self.pixels,
            self.labels,
            self.partial,
            steady=self.steady,
            class_layer=self.class_layer,
            weights_key=self.weights_key,
            random_seed=self.random_seed,
        )

    def absolute(self) -> NetworkRequest:
        """Return the request with absolute paths."""
        name = self.name
        place, _, function = name.rpartition(":")
        if self.runs_code and place.endswith(".py"):
            name = f"{Path(place).absolute()}:{function}"
        weights = None if self.weights is None else self.weights.absolute()
        labels = self.labels if self.labels in (None, IMAGENET) else self.labels.absolute()
        return replace(self, name=name, weights=weights, labels=labels)


def _same_network(request: NetworkRequest) -> tuple[object, ...]:
    return request.name, request.weights, request.weights_key, request.random_seed


class _Header(msgspec.Struct):
    """The part of the file that every version of the program reads."""

    version: int


class _File(_Header):
    networks: list[NetworkRequest]


class RecentNetworks:
    """The requests of the networks opened last, newest first, kept in a file.

    Parameters
    ----------
    path
        The file; if it is missing, the list is empty; what cannot be read is set aside. None keeps
        the list only in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._here: tuple[NetworkRequest, ...] = ()

    def read(self) -> tuple[NetworkRequest, ...]:
        """Return at most `MOST` requests."""
        if self._path is None:
            return self._here
        if not self._path.exists():
            return ()
        try:
            written = read_state(self._path)
            if msgspec.json.decode(written, type=_Header).version != VERSION:
                raise msgspec.DecodeError("another version of the program wrote it")
            found = msgspec.json.decode(written, type=_File, dec_hook=lambda kind, x: kind(x))
            return tuple(found.networks[:MOST])
        except (StudioError, msgspec.DecodeError, RecursionError):
            # The list is a convenience, but a later version of the program may read it again.
            set_aside(self._path)
            return ()

    def add(self, request: NetworkRequest) -> None:
        """Put a request first; `StudioError` if the file cannot be written."""
        request = request.absolute()
        others = [r for r in self.read() if _same_network(r) != _same_network(request)]
        self._here = (request, *others)[:MOST]
        if self._path is not None:
            kept = msgspec.json.encode(_File(VERSION, list(self._here)), enc_hook=str)
            write_state(self._path, msgspec.json.format(kept, indent=1))
