"""Looking up the real images of a neuron; this reads the index, on any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldam_studio.explore.real_images.evidence import Evidence, gather
from ldam_studio.explore.real_images.index import Index, open_index
from ldam_studio.explore.real_images.indexing import alongside

if TYPE_CHECKING:
    from ldam_studio.gui.real_images.chosen import Choice
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron


@dataclass(frozen=True)
class Found:
    """What looking gave; `evidence` is None if the index lacks the layer or any finite value."""

    index: Index | None
    evidence: Evidence | None = None


def look_up(network: Network, choice: Choice, neuron: Neuron, index: Index | None) -> Found:
    """Return what the images that were chosen say of a neuron; the index is opened if it is not."""
    if index is None:
        index = open_index(alongside(network), choice.spec, choice.limit)
    if index is None or not index.has(network.layer(neuron.layer).name):
        return Found(index)
    return Found(index, gather(index, neuron))
