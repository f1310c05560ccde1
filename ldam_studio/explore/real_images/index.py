"""What is known of a network's responses to real images: the values of any of its neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images import shards
from ldam_studio.explore.real_images.catalogue import NOTHING, Catalogue, Report, read_catalogue
from ldam_studio.explore.real_images.likeness import LENGTH, alike
from ldam_studio.explore.real_images.responses import HIGH, HIGH_AT, LOW, LOW_AT, MEAN, VALUE
from ldam_studio.explore.real_images.sources import Spec, source_of
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.anatomy.objectives import MEAN as MEAN_PLACE
from ldam_studio.networks.anatomy.units import resolved
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.training.pictures import Bytes, NotAPictureError

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Responses:
    """A neuron's values for the images of an index.

    Attributes
    ----------
    neuron
        The neuron.
    images
        The images that have a value, by their numbers in the index, (n,).
    values
        The values, largest last in the order of `ranked`; those of a neuron with a sign of -1 are
        multiplied by it, as its activation is. (n,).
    places
        For each image the place at which the channel has this value; None if the value belongs to
        no single place. (n, dimensions).
    """

    neuron: Neuron
    images: NDArray[np.int64]
    values: Floats
    places: NDArray[np.int64] | None

    @cached_property
    def ranked(self) -> NDArray[np.int64]:
        """Positions in `values`, the smallest value first; equal ones in the order of images."""
        return np.argsort(self.values, kind="stable")

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Example:
    """A real image with a neuron's value.

    Attributes
    ----------
    image, name
        Its number in the index, and its name.
    value
        The neuron's value.
    place
        The place of the unit that has it; None for no single place.
    box
        The pixels of the fitted image that this unit sees; None for the whole image.
    """

    image: int
    name: str
    value: float
    place: tuple[int, ...] | None
    box: Box | None


class Index:
    """A network's responses to the images of one source, as far as they are kept.

    Parameters
    ----------
    network
        The network.
    catalogue
        The images.
    """

    def __init__(self, network: Network, catalogue: Catalogue) -> None:
        self.network, self.catalogue = network, catalogue
        place = shards.folder() / shards.key_of(network)
        shards.touch(place)
        self._shards = list(shards.read_all(place))
        first: dict[bytes, int] = {}
        for number, sha256 in enumerate(catalogue.hashes):
            if sha256 != NOTHING:
                first.setdefault(sha256, number)
        self._numbers = first  # images of one content count once
        self._rows: dict[str, list[tuple[shards.Shard, NDArray[np.int64], NDArray[np.int64]]]] = {}
        self._small = np.zeros((len(catalogue.names), LENGTH), np.uint8)
        for shard in self._shards:
            own = [(row, first[h]) for row, h in enumerate(shard.hashes) if h in first]
            if own:
                rows, numbers = np.array(own).T
                self._small[numbers] = shard.signatures[rows]

    @property
    def report(self) -> Report:
        """What reading the images gave."""
        return self.catalogue.report

    @property
    def spec(self) -> Spec:
        """Where the images come from."""
        return self.catalogue.spec

    def count(self, layer: str) -> int:
        """Return the number of distinct images whose responses in a layer are known."""
        return sum(len(numbers) for _, _, numbers in self._rows_of(layer))

    def has(self, layer: str) -> bool:
        """Return whether responses of a layer are known."""
        return self.count(layer) > 0

    def _rows_of(
        self, layer: str
    ) -> list[tuple[shards.Shard, NDArray[np.int64], NDArray[np.int64]]]:
        """Return the shards with a layer, with the rows that are of this index and their images."""
        if layer not in self._rows:
            taken: set[bytes] = set()
            found = []
            known = self.network.layer(layer)
            for shard in self._shards:
                if layer not in shard.layers or not shard.is_sound(known):
                    continue
                own = [
                    (row, self._numbers[h])
                    for row, h in enumerate(shard.hashes)
                    if h in self._numbers and h not in taken
                ]
                taken.update(shard.hashes)
                if own:
                    rows, numbers = np.array(own, np.int64).T
                    found.append((shard, rows, numbers))
            self._rows[layer] = found
        return self._rows[layer]

    def _read(self, layer: str, part: str, neuron: int | slice) -> NDArray[np.generic]:
        """Return a part of a layer for all known images, (n,) or (n, neurons)."""
        try:
            found = [
                shard.part(layer, part, neuron).T[rows] for shard, rows, _ in self._rows_of(layer)
            ]
        except shards.DAMAGE:
            raise StudioError(
                "What was measured of real images has been removed or damaged meanwhile; index "
                "them again."
            ) from None
        return np.concatenate(found)

    def images(self, layer: str) -> NDArray[np.int64]:
        """Return the numbers of the images whose responses in a layer are known, (n,)."""
        return np.concatenate([np.zeros(0, np.int64), *(n for _, _, n in self._rows_of(layer))])

    def vectors(self, layer: str, part: str) -> Floats:
        """Return a part of all neurons of a layer, (images, neurons), see `images`."""
        found: Floats = self._read(layer, part, slice(None)).astype(np.float32)
        return found

    def responses(self, neuron: Neuron) -> Responses:
        """Return a neuron's values for all images.

        A channel has its largest value over all places, or its smallest if the neuron is to be made
        small; with the objective ``@mean`` its mean, and so has a token's feature by default.
        Images without a finite value are left out.

        Raises
        ------
        StudioError
            If the layer is not in the index.
        """
        layer = self.network.layer(neuron.layer)
        if not self.has(layer.name):
            raise StudioError(f"The layer {layer.name} is not in the index; index it first.")
        part, at = _parts(layer.places, resolved(layer, neuron.place), neuron.sign)
        values = neuron.sign * self._read(layer.name, part, neuron.index).astype(np.float32)
        finite = np.isfinite(values)
        places = None
        if at is not None:
            flat = self._read(layer.name, at, neuron.index).astype(np.int64)[finite]
            places = np.stack(np.unravel_index(flat, layer.places), 1)
        return Responses(neuron, self.images(layer.name)[finite], values[finite], places)

    # Examples

    def example(self, responses: Responses, position: int) -> Example:
        """Return the image at a position of `Responses.values`."""
        number = int(responses.images[position])
        place = None
        if responses.places is not None:
            place = tuple(int(at) for at in responses.places[position])
        layer = responses.neuron.layer
        box = None if place is None else self.network.receptive_field(layer, place)
        name = self.catalogue.names[number]
        return Example(number, name, float(responses.values[position]), place, box)

    def top(self, responses: Responses, count: int) -> list[Example]:
        """Return the images with the largest values, the largest first.

        Of images that are nearly the same, only the first is taken.
        """
        found: list[Example] = []
        small = np.zeros((0, LENGTH), np.uint8)
        for position in responses.ranked[::-1]:
            own = self._small[responses.images[position]]
            if len(small) and alike(own, small).any():
                continue
            found.append(self.example(responses, int(position)))
            small = np.concatenate([small, own[None]])
            if len(found) == count:
                break
        return found

    def at_quantiles(self, responses: Responses, quantiles: Sequence[float]) -> list[Example]:
        """Return an image at each quantile of the values, 0 for the smallest, 1 for the largest."""
        last = len(responses) - 1
        return [
            self.example(responses, int(responses.ranked[round(share * last)]))
            for share in quantiles
        ]

    def pictures(self, numbers: Sequence[int]) -> Mapping[int, Bytes]:
        """Return images by their numbers, fitted to the network, (C, H, W) each.

        Those that cannot be read any more are left out.
        """
        found: dict[int, Bytes] = {}
        with ExitStack() as stack:
            read = stack.enter_context(source_of(self.spec).reader())
            for number in dict.fromkeys(numbers):
                try:
                    raw = read(self.catalogue.names[number])
                    if raw.sha256 == self.catalogue.hashes[number]:
                        found[number], _ = raw.decode(self.network.pixels)
                except NotAPictureError:
                    continue
        return found


def _parts(places: tuple[int, ...], place: object, sign: int) -> tuple[str, str | None]:
    """Return which part has a neuron's values, and which one their places."""
    if not places:
        return VALUE[0], None
    if place == MEAN_PLACE:
        return MEAN, None
    return (HIGH, HIGH_AT) if sign > 0 else (LOW, LOW_AT)


def open_index(network: Network, spec: Spec, limit: int = 0) -> Index | None:
    """Return what is kept of a network's responses to a source's images; None if nothing is."""
    catalogue = read_catalogue(spec, limit)
    return None if catalogue is None else Index(network, catalogue)
