"""The arguments of the studio, as plain values; this module does not import Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldam_studio.engine.beside import Beside
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.session import SessionSpec
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.request import NetworkRequest
    from ldam_studio.sampler.presets import Preset


@dataclass(frozen=True)
class Named:
    """A network that was named on the command line, or given by a script.

    Parameters
    ----------
    network
        The network, already opened.
    request
        How to open the network again, for the list of recent networks.
    beside
        The network to compare it with, if any.
    spec
        The session that shows it; None for the one that suits it.
    """

    network: Network
    request: NetworkRequest
    beside: Beside | None = None
    spec: SessionSpec | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether it is a module of a Python program, which no later start could open again."""
        # Here, so that the command line can import this module without torch.
        from ldam_studio.networks.sources.in_memory import is_in_memory

        return is_in_memory(self.network.name)


@dataclass(frozen=True)
class Watched:
    """A training to watch from the start.

    Parameters
    ----------
    place
        A folder of checkpoints, or one file.
    network
        The network with the weights of the newest checkpoint.
    average
        Number of checkpoints whose mean is shown; 0 or 1 shows single checkpoints.
    rounds
        Number of rounds that the discriminator learns after each checkpoint.
    """

    place: Path
    network: Network
    average: int = 0
    rounds: int = 0


@dataclass(frozen=True)
class Start:
    """What the studio opens at its start. Without any optional value, that is the last session.

    Parameters
    ----------
    device
        The device on which sessions run.
    data
        Folder of the data sets; None searches the usual folders.
    fresh
        Whether to start with the ten digits instead of the last session.
    preset
        Settings to change once the session is open.
    named
        The network to show.
    unknown
        A network in the user's own code whose input format is unknown; a dialog asks for it.
    file
        A file to open, such as an exported picture.
    link
        A link to open, see `export.links`.
    watched
        A training to watch.
    out, seconds
        Only without a display: folder for the pictures, and how long the session runs, in seconds.
    """

    device: Device
    data: Path | None = None
    fresh: bool = False
    preset: Preset | None = None
    named: Named | None = None
    unknown: NetworkRequest | None = None
    file: Path | None = None
    link: str = ""
    watched: Watched | None = None
    out: Path = Path("out")
    seconds: float = 4.0
