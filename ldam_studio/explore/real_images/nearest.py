"""The real image that is nearest to a drawn one, in the features of a layer.

Features are a layer's channels, each minus its mean over real images and divided by its standard
deviation there; the nearest image has the largest cosine, because drawn images exceed real ones in
size. A channel with places is compared at the place of the drawn unit and, in a real image, at the
place where that channel responds most: of the `CANDIDATES` images that excite it most. A neuron
without places is compared in the layer from which it is computed, over all images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images.index import Example, Index, Responses
from ldam_studio.explore.real_images.pictures import as_pixels, stacked
from ldam_studio.explore.real_images.responses import MEAN, VALUE, batch_of
from ldam_studio.explore.real_images.sources import words_of
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.units import resolved
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import tell
from ldam_studio.sampler.resize import resized

CANDIDATES = 64
MOST_NUMBERS = 2**25
"""Numbers of all features together, 128 MB; beyond it they are projected to fewer dimensions."""
LEAST_SPREAD = 1e-6

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Nearest:
    """The real image nearest to a drawn one; `cosine` of their features, from -1 to 1."""

    example: Example
    cosine: float


def features_layer(network: Network, layer: Layer) -> str:
    """Return the layer in whose features neurons of a layer are compared.

    It is the layer itself if that has places; otherwise the one from whose units it is computed, as
    far as that is known.
    """
    if layer.places:
        return layer.name
    origin = network.listing.inputs.get(layer.name)
    return layer.name if origin is None else origin.layer


class Neighbours:
    """Finds the real images nearest to drawn ones of one neuron.

    Parameters
    ----------
    index
        The real images; it has the layers that `layers_for` names.
    neuron
        The neuron for which the images are drawn.

    Raises
    ------
    StudioError
        If the index lacks the layer.
    """

    def __init__(self, index: Index, neuron: Neuron) -> None:
        self._index, self._network, self._neuron = index, index.network, neuron
        own = self._network.layer(neuron.layer)
        self._responses: Responses = index.responses(neuron)
        self._place = resolved(own, neuron.place)
        at_places = self._responses.places is not None
        name = own.name if at_places else features_layer(self._network, own)
        self._layer = self._network.layer(name if index.has(name) else own.name)
        self._examples: list[Example] | None = None
        if at_places:
            self._examples, features = self._patches()
        else:
            features = self._whole()
        self._project = _projection(features.shape)
        features = features if self._project is None else features @ self._project
        self._mean = features.mean(0)
        self._spread = np.maximum(features.std(0), LEAST_SPREAD)
        self._features = _unit((features - self._mean) / self._spread)

    def of(self, images: Sequence[Tensor]) -> list[Nearest]:
        """Return the real image nearest to each drawn one, (C, H, W) in pixel units."""
        if not images:
            return []
        size = (self._network.pixels.height, self._network.pixels.width)
        shown = [
            image[None] if tuple(image.shape[1:]) == size else resized(image[None], size)
            for image in images
        ]
        features = self._features_of(torch.cat(shown), None)
        features = features if self._project is None else features @ self._project
        cosines = _unit((features - self._mean) / self._spread) @ self._features.T
        found = []
        for row in cosines:
            at = int(row.argmax())
            if self._examples is not None:
                example = self._examples[at]
            else:
                example = self._example_of(at)
            found.append(Nearest(example, float(row[at])))
        return found

    def _example_of(self, at: int) -> Example:
        number = int(self._numbers[at])
        (positions,) = np.nonzero(self._responses.images == number)
        if len(positions):
            return self._index.example(self._responses, int(positions[0]))
        return Example(number, self._index.catalogue.names[number], float("nan"), None, None)

    def _whole(self) -> Floats:
        """Return the features of all images, (images, channels)."""
        self._numbers = self._index.images(self._layer.name)
        part = MEAN if self._layer.places else VALUE[0]
        return self._index.vectors(self._layer.name, part)

    def _patches(self) -> tuple[list[Example], Floats]:
        """Return the images that excite the channel most, and their features where they do."""
        examples = self._index.top(self._responses, CANDIDATES)
        pictures = self._index.pictures([each.image for each in examples])
        examples = [each for each in examples if each.image in pictures]
        if not examples:
            raise StudioError(
                f"None of the images in {words_of(self._index.spec)} can be read any more; index "
                "them again."
            )
        batch, rows = batch_of(self._network), []
        for at in range(0, len(examples), batch):
            tell("looking at the best real images", at, len(examples))
            some = examples[at : at + batch]
            images = stacked([pictures[each.image] for each in some])
            places = [each.place for each in some]
            rows.append(self._features_of(as_pixels(images, self._network.pixels), places))
        return examples, np.concatenate(rows)

    @torch.no_grad()
    def _features_of(
        self, images: Tensor, places: Sequence[tuple[int, ...] | None] | None
    ) -> Floats:
        """Return the features of images (n, C, H, W), at these places or at the neuron's own."""
        network, layer = self._network, self._layer
        output = network.output(images.to(network.device), layer.name).float().cpu()
        output = output.movedim(layer.axis + 1, 1)
        if output.ndim == 2:
            return np.asarray(output)
        if self._responses.places is None:
            return np.asarray(output.flatten(2).mean(2))
        own = self._place if isinstance(self._place, tuple) else ()
        where = [own] * len(images) if places is None else [at or own for at in places]
        rows = zip(output, where, strict=True)
        return np.stack([np.asarray(one[(slice(None), *at)]) for one, at in rows])


def layers_for(network: Network, layer: str) -> tuple[str, ...]:
    """Return the layers that an index needs for all that is shown of a layer's neurons."""
    own = network.layer(layer)
    return tuple(dict.fromkeys((own.name, features_layer(network, own))))


def _unit(rows: Floats) -> Floats:
    lengths = np.sqrt((rows**2).sum(1, keepdims=True))
    found: Floats = rows / np.maximum(lengths, LEAST_SPREAD)
    return found


def _projection(shape: tuple[int, ...]) -> Floats | None:
    """Return a random projection to fewer dimensions where features take much memory."""
    images, channels = shape
    few = max(16, MOST_NUMBERS // max(1, images))
    if few >= channels:
        return None
    drawn = np.random.default_rng(0).standard_normal((channels, few), np.float32)
    found: Floats = drawn / np.float32(np.sqrt(few))
    return found
