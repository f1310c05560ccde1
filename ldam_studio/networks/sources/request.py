"""A request to open a network, and the list of recent requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, write_bytes
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.families import runs_code, short_name
from ldam_studio.networks.sources.labels import IMAGENET
from ldam_studio.networks.sources.opening import Options, open_network

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.download import OnBytes

MOST = 8  # a longer menu is searched, not read
VERSION = 1


@dataclass(frozen=True)
class NetworkRequest:
    """All that has to be known to open a network; see `opening.open_network`."""

    name: str
    weights: Path | None = None
    labels: Path | None = None
    partial: bool = False
    pixels: PixelSpec | None = None

    @property
    def runs_code(self) -> bool:
        """Whether opening it runs code that a person wrote."""
        return runs_code(self.name)

    @property
    def title(self) -> str:
        """What it is called in a menu, without folders."""
        weights = "" if self.weights is None else f" · {self.weights.name}"
        return short_name(self.name) + weights

    def open(self, on_bytes: OnBytes | None = None) -> Network:
        """Open the network; `StudioError` if that cannot be done."""
        options = Options(self.pixels, self.labels, self.partial, on_bytes=on_bytes)
        return open_network(self.name, self.weights, options)

    def absolute(self) -> NetworkRequest:
        """Return the request with absolute paths."""
        name = self.name
        place, _, function = name.rpartition(":")
        if self.runs_code and place.endswith(".py"):
            name = f"{Path(place).absolute()}:{function}"
        weights = None if self.weights is None else self.weights.absolute()
        labels = self.labels if self.labels in (None, IMAGENET) else self.labels.absolute()
        return NetworkRequest(name, weights, labels, self.partial, self.pixels)

    def json(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {
            "name": self.name,
            "weights": None if self.weights is None else str(self.weights),
            "labels": None if self.labels is None else str(self.labels),
            "partial": self.partial,
            "pixels": None if self.pixels is None else asdict(self.pixels),
        }

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> NetworkRequest:
        """Read what `json` returned; StudioError, KeyError or TypeError for anything else."""
        weights, labels = (
            None if found[key] is None else Path(found[key]) for key in ("weights", "labels")
        )
        pixels = None if found["pixels"] is None else PixelSpec.of(found["pixels"])
        if not isinstance(found["name"], str):
            raise TypeError("a network's name is a text")
        return cls(found["name"], weights, labels, bool(found["partial"]), pixels)


class RecentNetworks:
    """The requests of the networks opened last, newest first, kept in a file.

    Parameters
    ----------
    path
        The file; where it is missing or damaged, the list is empty. None keeps the list in memory
        only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._here: tuple[NetworkRequest, ...] = ()

    def read(self) -> tuple[NetworkRequest, ...]:
        """Return at most `MOST` requests."""
        if self._path is None:
            return self._here
        try:
            found = json.loads(read_bytes(self._path))
            if found["version"] != VERSION:
                return ()
            return tuple(NetworkRequest.of(each) for each in found["networks"][:MOST])
        except (StudioError, ValueError, KeyError, TypeError, RecursionError):
            # The list is a convenience; losing it does no harm.
            return ()

    def add(self, request: NetworkRequest) -> None:
        """Put a request first; `StudioError` if the file cannot be written."""
        request = request.absolute()
        others = [r for r in self.read() if (r.name, r.weights) != (request.name, request.weights)]
        self._here = (request, *others)[:MOST]
        if self._path is not None:
            kept = {"version": VERSION, "networks": [each.json() for each in self._here]}
            write_bytes(self._path, json.dumps(kept, indent=1).encode())
