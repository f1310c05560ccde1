"""Naming the real image that is nearest to a drawn one, such as a mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.explore.real_images.evidence import in_colours
from ldam_studio.explore.real_images.index import Index, open_index
from ldam_studio.explore.real_images.indexing import alongside, build
from ldam_studio.explore.real_images.nearest import Neighbours, layers_for
from ldam_studio.explore.real_images.sources import Spec
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.training.pictures import Bytes


@dataclass(frozen=True)
class RealName:
    """The real image nearest to a drawn one.

    Attributes
    ----------
    name
        Of the real image.
    cosine
        Of the features of both, from -1 to 1; see `nearest`.
    patch
        What the neuron sees of the real image, (h, w, 3); None if it cannot be read any more.
    """

    name: str
    cosine: float
    patch: Bytes | None


class Namer:
    """Names real images for the drawn ones of a network's neurons; to be used on one thread.

    Parameters
    ----------
    network
        The network.
    spec, limit
        The real images, as in `indexing.build`.
    builds
        Whether the images are shown to layers that have not seen them. Otherwise nothing is named
        there.
    """

    def __init__(self, network: Network, spec: Spec, limit: int, *, builds: bool) -> None:
        self._network, self._spec, self._limit, self._builds = network, spec, limit, builds
        self._index: Index | None = None
        self._last: tuple[Neuron, Neighbours] | None = None

    def name(self, neuron: Neuron, images: Sequence[Tensor]) -> list[RealName]:
        """Return the nearest real image of each drawn one, (C, H, W) in pixel units.

        The list is empty if the layer has not been shown the images.

        Raises
        ------
        StudioError
            If the images are missing, or the network cannot be run on them.
        """
        index = self._indexed(neuron)
        if index is None:
            return []
        if self._last is None or self._last[0] != neuron:
            self._last = neuron, Neighbours(index, neuron)
        found = self._last[1].of(images)
        pictures = index.pictures([each.example.image for each in found])
        named = []
        for each in found:
            patch = pictures.get(each.example.image)
            if patch is not None and each.example.box is not None:
                top, left, bottom, right = each.example.box
                patch = patch[:, top:bottom, left:right]
            shown = None if patch is None else in_colours(patch)
            named.append(RealName(each.example.name, each.cosine, shown))
        return named

    def _indexed(self, neuron: Neuron) -> Index | None:
        """Return an index with the neuron's layer; None if there is none."""
        layer = self._network.layer(neuron.layer).name
        if self._index is None or not self._index.has(layer):
            if self._builds:
                layers = layers_for(self._network, layer)
                build(self._network, self._spec, layers, self._limit)
            self._index = open_index(alongside(self._network), self._spec, self._limit)
            self._last = None
        has = self._index is not None and self._index.has(layer)
        return self._index if has else None
