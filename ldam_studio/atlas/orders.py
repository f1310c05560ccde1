"""What a worker is told: which network, in which version, and how the neurons of a layer are drawn.

Orders are sent to other processes and machines, so that they have no module and no tensor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio import __version__
from ldam_studio.engine.compute.device import Device
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.files import read_bytes
from ldam_studio.networks.discriminators import discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.sampler.settings import Settings

MOST_CODE = 2**20
"""Largest file of own code that is sent to workers, in bytes."""


@dataclass(frozen=True)
class OwnCode:
    """A file of own code: its name without folders, its hash, and its bytes if they are sent."""

    name: str
    sha256: str
    data: bytes | None = None


@dataclass(frozen=True)
class NetworkOrder:
    """A network as a worker has to open it.

    Attributes
    ----------
    request
        Where it comes from, with absolute paths.
    sha256
        SHA-256 of its weights.
    code
        The file that makes it; None for networks of libraries.
    program, torch
        Versions with which it was opened.
    """

    request: NetworkRequest
    sha256: str
    code: OwnCode | None
    program: str = __version__
    torch: str = str(torch.__version__)

    @classmethod
    def of(cls, network: Network, *, ship_code: bool = False) -> NetworkOrder:
        """Return the order for a network that was opened by name.

        Raises
        ------
        StudioError
            If its code cannot be read, or is too large to be sent.
        """
        request = NetworkRequest.same(network).absolute()
        return cls(request, network.provenance.sha256, _code_of(request, ship_code=ship_code))

    @property
    def own_code(self) -> str | None:
        """The content of the file that makes the network, and the function: wherever it lies."""
        function = self.request.name.rpartition(":")[2]
        return None if self.code is None else f"{self.code.sha256}:{function}"


def _code_of(request: NetworkRequest, *, ship_code: bool) -> OwnCode | None:
    path = code_path(request.name) if request.runs_code else None
    if path is None:
        if ship_code:
            raise StudioError(
                f"--ship-code sends a file of your own code, and {request.name} is made by none; "
                "leave it out."
            )
        return None
    data = read_bytes(path, MOST_CODE)
    digest = hashlib.sha256(data).hexdigest()
    return OwnCode(path.name, digest, data if ship_code else None)


def code_path(name: str) -> Path | None:
    """Return the file in the name of a network of own code; None for a module's name."""
    place = name.rpartition(":")[0]
    return Path(place) if place.endswith(".py") else None


@dataclass(frozen=True)
class Order:
    """How the neurons of one layer are drawn; `settings` suit the layer already."""

    network: NetworkOrder
    settings: Settings
    device: Device
    chains: int
    steps: int
    seed: int
    display: str

    def spec(self, network: Network, neurons: Sequence[Neuron]) -> SheetSpec:
        """Return the sheet of some neurons of the layer, which says how each session begins.

        Raises
        ------
        StudioError
            If a value is out of range, or a discriminator is wanted and there is none.
        """
        discriminator = None
        if self.settings.discriminator_weight != 0:
            discriminator = discriminator_of(network, None, "set --discriminator-weight to 0")
        return SheetSpec(
            network=network,
            neurons=tuple(neurons),
            settings=self.settings,
            device=self.device,
            chains=self.chains,
            steps=self.steps,
            seed=self.seed,
            discriminator=discriminator,
            display=self.display,
        )
