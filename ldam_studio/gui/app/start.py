"""What the studio starts with, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldam_studio.engine.beside import Beside
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.request import NetworkRequest
    from ldam_studio.sampler.presets import Preset


@dataclass(frozen=True)
class Named:
    """A network that was named at the start.

    Parameters
    ----------
    network
        The network, opened.
    request
        How it is opened again, for the list of recent networks.
    beside
        What it is compared with, if anything.
    """

    network: Network
    request: NetworkRequest
    beside: Beside | None = None


@dataclass(frozen=True)
class Watched:
    """A training to watch from the start.

    Parameters
    ----------
    place
        A folder of checkpoints, or one file.
    network
        The network with the newest of them.
    average
        How many checkpoints the shown weights are the mean of; 0 or 1 for none.
    rounds
        How many rounds the discriminator learns after each checkpoint.
    """

    place: Path
    network: Network
    average: int = 0
    rounds: int = 0


@dataclass(frozen=True)
class Start:
    """What the studio starts with. With none of the optional values it is the last session.

    Parameters
    ----------
    device
        Where sessions run.
    data
        Folder of the data sets; None looks where they usually lie.
    fresh
        Whether to begin with the ten digits, not with the last session.
    preset
        Settings to change once the session is open.
    named
        The network to look at.
    unknown
        A network of the user's own code that does not tell what images it takes: a dialog asks.
    file
        A file to open, such as an exported picture.
    watched
        A training to watch.
    out, seconds
        Without a display: where the pictures go, and how long the session runs.
    """

    device: Device
    data: Path | None = None
    fresh: bool = False
    preset: Preset | None = None
    named: Named | None = None
    unknown: NetworkRequest | None = None
    file: Path | None = None
    watched: Watched | None = None
    out: Path = Path("out")
    seconds: float = 4.0
