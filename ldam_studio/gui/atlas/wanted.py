"""The layer that is to be drawn, and the flags with which the process draws it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ldam_studio.atlas.command import network_flags, settings_flags
from ldam_studio.explore.sheets.spec import neurons_in, small

if TYPE_CHECKING:
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.settings import Settings


@dataclass(frozen=True)
class WantedLayer:
    """What is drawn, how, by how many processes, and into which folder."""

    network: Network
    layer: str
    settings: Settings
    device: Device
    discriminator: DiscriminatorModel | None
    chains: int
    steps: int
    seed: int
    display: str
    workers: int
    folder: Path

    def flags(self) -> list[str]:
        """Return the flags; this may take a second.

        Raises
        ------
        StudioError
            If another process cannot draw that.
        """
        opening = network_flags(self.network)
        network = self.network.alongside()
        settings = small(network, neurons_in(network, self.layer), self.settings)
        return [
            *opening,
            f"--layers={self.layer}",
            *settings_flags(network, self.layer, settings, self.discriminator),
            f"--chains={self.chains}",
            f"--steps={self.steps}",
            f"--seed={self.seed}",
            f"--display={self.display}",
            f"--device={self.device.name}",
            f"--workers={self.workers}",
            f"--out={self.folder.absolute()}",
            "--json",
        ]
