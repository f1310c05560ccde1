"""Which real images were chosen for each network; remembered until the next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ldam_studio.explore.real_images.data_sets import DATA_SETS
from ldam_studio.explore.real_images.folders import MOST_LISTED
from ldam_studio.explore.real_images.sources import FOLDER, Spec
from ldam_studio.networks.network import Network

MOST = 50
"""Networks whose images are remembered."""


@dataclass(frozen=True)
class Choice:
    """Real images, and how many of them at most; 0 for all."""

    spec: Spec
    limit: int = 0


class Chosen:
    """The choice for each network, the newest last."""

    def __init__(self) -> None:
        self._choices: dict[str, Choice] = {}

    def of(self, network: Network) -> Choice | None:
        """Return what was chosen for a network, if anything."""
        return self._choices.get(_key(network))

    def choose(self, network: Network, choice: Choice) -> None:
        """Note a choice."""
        self._choices.pop(_key(network), None)
        self._choices[_key(network)] = choice
        for old in list(self._choices)[:-MOST]:
            del self._choices[old]

    def remember(self) -> Mapping[str, Any]:
        """Return the choices in JSON's types."""
        return {
            key: [each.spec.kind, each.spec.place, each.limit]
            for key, each in self._choices.items()
        }

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Take over what was remembered, but for what makes no sense."""
        for key, value in list(remembered.items())[-MOST:]:
            try:
                kind, place, limit = msgspec.convert(value, tuple[str, str, int])
            except msgspec.ValidationError:
                continue
            known = kind in (FOLDER, *DATA_SETS) and 0 <= limit <= MOST_LISTED
            if known and key not in self._choices:
                self._choices[key] = Choice(Spec(kind, place), limit)


def _key(network: Network) -> str:
    """Return what tells architectures apart at once; other weights see the same images."""
    return network.name
