"""What a person asks for when a network is opened, and the last few such wishes. No Qt in here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, write_bytes
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.labels import IMAGENET
from ldam_studio.networks.sources.libraries import TIMM, TORCHVISION
from ldam_studio.networks.sources.opening import Options, open_network, runs_code

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.download import OnBytes

MOST = 8  # a longer menu is searched, not read
VERSION = 1


@dataclass(frozen=True)
class NetworkRequest:
    """All that has to be known to open a network; see `networks.zoo.open_network`."""

    name: str
    weights: Path | None = None
    labels: Path | None = None
    partial: bool = False
    pixels: PixelSpec | None = None

    @property
    def runs_code(self) -> bool:
        """Whether opening it runs code that is not the program's own."""
        return runs_code(self.name)

    @property
    def title(self) -> str:
        """What it is called in a menu: without folders."""
        weights = "" if self.weights is None else f" · {self.weights.name}"
        return short_name(self.name) + weights

    def open(self, on_bytes: OnBytes | None = None) -> Network:
        """Open the network; `StudioError` if that cannot be done."""
        options = Options(self.pixels, self.labels, self.partial, on_bytes=on_bytes)
        return open_network(self.name, self.weights, options)

    def absolute(self) -> NetworkRequest:
        """Return the wish as it is understood from every folder."""
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
        """Read what `json` wrote; `StudioError`, KeyError or TypeError if it is something else."""
        weights, labels = (
            None if found[key] is None else Path(found[key]) for key in ("weights", "labels")
        )
        pixels = None if found["pixels"] is None else PixelSpec.of(found["pixels"])
        if not isinstance(found["name"], str):
            raise TypeError("a network's name is a text")
        return cls(found["name"], weights, labels, bool(found["partial"]), pixels)


def short_name(name: str) -> str:
    """Return a network's name without the folders and the word that says where it is from."""
    place, colon, function = name.removeprefix(TORCHVISION).removeprefix(TIMM).rpartition(":")
    return f"{Path(place).name}{colon}{function}"


class RecentNetworks:
    """The networks opened last, newest first, in a file of their own.

    Parameters
    ----------
    path
        Written when a network is opened; what is missing or damaged there is an empty list. None
        remembers them no longer than this object lives.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._here: tuple[NetworkRequest, ...] = ()

    def read(self) -> tuple[NetworkRequest, ...]:
        """Return at most `MOST` wishes."""
        if self._path is None:
            return self._here
        try:
            found = json.loads(read_bytes(self._path))
            if found["version"] != VERSION:
                return ()
            return tuple(NetworkRequest.of(each) for each in found["networks"][:MOST])
        except (StudioError, ValueError, KeyError, TypeError, RecursionError):
            # A list for convenience only: without it nothing is lost.
            return ()

    def add(self, request: NetworkRequest) -> None:
        """Put a wish at the head; `StudioError` if it cannot be written down."""
        request = request.absolute()
        others = [r for r in self.read() if (r.name, r.weights) != (request.name, request.weights)]
        self._here = (request, *others)[:MOST]
        if self._path is not None:
            kept = {"version": VERSION, "networks": [each.json() for each in self._here]}
            write_bytes(self._path, json.dumps(kept, indent=1).encode())
