"""The network to compare a session with, chosen before that session is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.networks.network import Network
from ldam_studio.sampler.settings import Settings


@dataclass(frozen=True)
class Beside:
    """A network to compare with, and those of its settings, by name, that differ."""

    network: Network
    values: Mapping[str, Any]

    def settings(self, first: Settings) -> Settings:
        """Return the network's settings, given those of the first network."""
        return first.with_values(self.values)

    def spec(self, first: Settings) -> LaneSpec:
        """Return the lane to open beside a first one with the given settings."""
        return LaneSpec(self.network, settings=self.settings(first))
