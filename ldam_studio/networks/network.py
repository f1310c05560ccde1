"""What is looked at: a network, the pixels it takes, its layers and its neurons."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.fields import Box, Crop, find_crop, receptive_field
from ldam_studio.networks.anatomy.folding import Folded, fold
from ldam_studio.networks.anatomy.layers import Layer, list_layers, output_at
from ldam_studio.networks.anatomy.units import Units, resolved, units_of
from ldam_studio.networks.copying import copied
from ldam_studio.networks.neurons import Neuron, Place, parse_neurons
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.weights.state_dicts import renamed
from ldam_studio.networks.weights.weights import check_finite, put_into, weights_for

__all__ = ["Network", "Neuron", "PixelSpec", "parse_neurons"]

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """How a network's weights are found in a file: what the name of a library's network implies.

    Attributes
    ----------
    new_name
        Gives today's name for one of the file's, where a library has renamed them.
    spare
        What begins the names of weights that may be missing, because they are not used.
    partial
        Whether a part of the weights will do.
    missing
        Those that the network's own file lacked, which have the values that the network was built
        with; None where it was opened without a file.
    """

    new_name: Callable[[str], str] | None = None
    spare: tuple[str, ...] = ()
    partial: bool = False
    missing: tuple[str, ...] | None = None


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, and the SHA-256 that it had."""

    weights: Path
    sha256: str


class Network:
    """A trained network, frozen and in evaluation mode, with what is known about it.

    Parameters
    ----------
    name
        What the person calls it ("lenet").
    module
        Takes normalised images (n, C, H, W).
    pixels
        How pixels become its input.
    labels
        Names of the outputs of its last layer; may be empty.
    sha256
        Of its weights, so that a recipe can tell whether it has the same network before it.
    weights
        The weights' file where it is not the shipped one.
    given_pixels
        `pixels` again where a person gave them, because nothing else tells them.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        pixels: PixelSpec,
        labels: tuple[str, ...] = (),
        sha256: str = "",
        weights: Path | None = None,
        given_pixels: PixelSpec | None = None,
    ) -> None:
        self.name = name
        self.given_pixels = given_pixels
        # How it was opened, where that was more than a name and weights; see `zoo.Options`.
        self.given_labels: Path | None = None
        self.partial = False
        self.untrained = False
        self.reading = Reading()
        self.notes: tuple[str, ...] = ()  # sentences about what opening it did that may surprise
        self.mean_of: tuple[WeightsFile, ...] = ()
        self.module = prepare(module)
        self.pixels = pixels
        self.labels = labels
        self.sha256 = sha256
        self.weights = weights
        self._mean = torch.tensor(pixels.mean).reshape(1, -1, 1, 1)
        self._std = torch.tensor(pixels.std).reshape(1, -1, 1, 1)
        self._remembered: dict[Any, Any] = {}
        self.walked = list_layers(name, self.module, self.normalise(torch.zeros(1, *pixels.shape)))
        self.layers: tuple[Layer, ...] = self.walked.all
        self._folded = self._fold()

    def weights_in(self, saved: Mapping[str, Any], source: Path) -> dict[str, Tensor]:
        """Return this network's weights, by its own names, in what a file holds.

        They are looked for as when the network was opened: under whatever prefix, renamed if its
        library renames, in part if it was opened so.

        Raises
        ------
        StudioError
            If they are another architecture's.
        """
        reading = self.reading
        if reading.new_name is not None:
            saved = renamed(saved, reading.new_name)
        match = weights_for(self.module, saved, source, reading.partial, reading.spare)
        if reading.missing is not None and match.missing != reading.missing:
            raise StudioError(
                f"{source} lacks other weights than {self.weights} does; open it as another "
                "network."
            )
        return match.state

    def with_weights(self, saved: Mapping[str, Any], weights: Path, sha256: str) -> Network:
        """Return this network with other weights of the same shapes, such as a later checkpoint's.

        Raises
        ------
        StudioError
            If the weights in `saved` are another architecture's, or not finite.
        """
        own = self.weights_in(saved, weights)
        check_finite(own, weights)
        return self.twin(own, WeightsFile(weights, sha256))

    def twin(self, weights: Mapping[str, Tensor], *files: WeightsFile) -> Network:
        """Return this network with other weights, by its own names.

        What its units see is not looked for again where it follows from the architecture; see
        `measures_field`. This network may be running meanwhile on another thread.

        Parameters
        ----------
        files
            The file that they are from, or those of which they are the mean, the newest last.

        Raises
        ------
        StudioError
            If the network is a person's module that cannot be copied.
        """
        module = copied(self.module)
        put_into(module, weights)
        twin = copy.copy(self)
        twin.module, twin.partial, twin.untrained = module, self.reading.partial, False
        twin.weights, twin.sha256 = files[-1].weights, files[-1].sha256
        twin.mean_of = files if len(files) > 1 else ()
        twin._folded = twin._fold()
        known = self._remembered.copy()  # which another thread may be adding to
        twin._remembered = {
            k: v
            for k, v in known.items()
            if k[0] in ("field", "crop") and not self.measures_field(k[1])
        }
        return twin

    def _fold(self) -> Folded | None:
        noise = torch.rand((1, *self.pixels.shape), generator=torch.Generator().manual_seed(0))
        return fold(self.module, self.normalise(noise.to(self.device)))

    def to(self, device: torch.device | str) -> Network:
        """Move to `device`, in place; returns self."""
        if torch.device(device) == self.device:
            return self  # and what was measured still holds
        self.module.to(device)
        if self._folded is not None:
            self._folded.module.to(device)
        self._mean, self._std = self._mean.to(device), self._std.to(device)
        self._remembered.clear()
        return self

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._mean.device

    def remembered(self, key: Hashable, measure: Callable[[], T]) -> T:
        """Return what `measure` finds out about this network, measured once per `key`."""
        if key not in self._remembered:
            self._remembered[key] = measure()
        found: T = self._remembered[key]
        return found

    def receptive_field(self, layer: str, place: Place = None) -> Box | None:
        """Return the pixels that a layer's units at a place see; None for the whole image."""
        known = self.layer(layer)
        where = resolved(known, place)
        return self.remembered(("field", layer, where), lambda: receptive_field(self, known, where))

    def measures_field(self, layer: str) -> bool:
        """Tell whether what a layer's units see is measured, so that other weights may change it.

        That is so where the layer comes after an operation that `footprints` has no rule for.
        """
        return self.walked.footprints[layer] is None

    def knows_field(self, layer: str) -> bool:
        """Tell whether `receptive_field` of a layer's default place answers without measuring."""
        known = self.layer(layer)
        where = resolved(known, None)
        unmeasured = self.measures_field(layer) and isinstance(where, tuple)
        return not unmeasured or ("field", layer, where) in self._remembered

    def crop(self, layer: str, place: Place = None) -> Crop | None:
        """Return the part of the image that the units at a place need; None for all of it."""
        known = self.layer(layer)
        where = resolved(known, place)
        return self.remembered(
            ("crop", layer, where),
            lambda: find_crop(self, known, where, self.receptive_field(layer, where)),
        )

    def units(self, neurons: Sequence[Neuron]) -> Units:
        """Return how to read these neurons, all of one layer, off its output."""
        return units_of(self.layer(neurons[0].layer), neurons, self.device)

    @property
    def reference(self) -> dict[str, Any]:
        """Return what a recipe writes down to find this network again."""
        weights = None if self.weights is None else str(self.weights)
        found: dict[str, Any] = {"name": self.name, "weights": weights, "sha256": self.sha256}
        # Only what the name does not say by itself.
        if self.given_pixels is not None:
            found["pixels"] = asdict(self.given_pixels)
        if self.given_labels is not None:
            found["labels"] = str(self.given_labels)
        if self.partial:
            found["partial"] = True
        if self.untrained:
            found["untrained"] = True
        if self.mean_of:
            found["mean_of"] = [
                {"weights": str(file.weights), "sha256": file.sha256} for file in self.mean_of
            ]
        return found

    def layer(self, name: str) -> Layer:
        """Return the layer called `name`; `StudioError` names those there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise StudioError(
            f"{self.name} has no layer {name!r}; it has {', '.join(la.name for la in self.layers)}."
        )

    def check(self, neuron: Neuron) -> Neuron:
        """Return `neuron` if this network has it, else raise `StudioError`."""
        layer = self.layer(neuron.layer)
        if not 0 <= neuron.index < layer.neurons:
            raise StudioError(
                f"{self.name}'s layer {layer.name} has neurons 0 to {layer.neurons - 1}, "
                f"not {neuron.index}."
            )
        if isinstance(neuron.place, tuple):
            sizes = layer.places
            if len(neuron.place) != len(sizes):
                raise StudioError(self._place_wanted(layer, neuron.place))
            if any(at >= size for at, size in zip(neuron.place, sizes, strict=True)):
                raise StudioError(
                    f"{self.name}'s layer {layer.name} has {' x '.join(map(str, sizes))} places; "
                    f"{neuron} is not among them."
                )
        elif neuron.place is not None and not layer.places:
            raise StudioError(f"{self.name}'s layer {layer.name} has no places to average over.")
        return neuron

    def _place_wanted(self, layer: Layer, place: tuple[int, ...]) -> str:
        """Say how a place in a layer is written, where one of another kind was."""
        whose = f"{self.name}'s layer {layer.name}"
        if not layer.places:
            return f"{whose} has no places; leave out @{','.join(map(str, place))}."
        wanted = {1: "@TOKEN", 2: "@Y,X"}.get(len(layer.places), "@mean")
        return f"A place in {whose} is {wanted}."

    def label(self, neuron: Neuron) -> str:
        """Return the class's name for a class neuron, else the address."""
        plain = neuron.place is None and neuron.sign > 0
        if plain and neuron.layer == self.layers[-1].name and neuron.index < len(self.labels):
            return self.labels[neuron.index]
        return str(neuron)

    def default_neurons(self, chains: int) -> tuple[Neuron, ...]:
        """Return the last layer's neurons, one per chain, repeated if there are fewer."""
        return self.spread(self.layers[-1].name, chains)

    def spread(self, layer: str, chains: int) -> tuple[Neuron, ...]:
        """Return a layer's neurons, one per chain, repeated if there are fewer."""
        count = self.layer(layer).neurons
        return tuple(Neuron(layer, i % count) for i in range(chains))

    def normalise(self, x: Tensor) -> Tensor:
        """Turn pixels (n, C, H, W) into the module's input."""
        return (x - self._mean) / self._std

    def output(self, x: Tensor, layer: str) -> Tensor:
        """Return a layer's output at pixels x (n, C, H, W); the forward pass stops there."""
        folded = self._folded
        module = folded.module if folded is not None and layer in folded.layers else self.module
        return output_at(module, layer, self.normalise(x), self.layer(layer).batch)

    def activation(self, x: Tensor, units: Units) -> Tensor:
        """Return one unit per image: x (n, C, H, W), n units -> (n,)."""
        return units.read(self.output(x, units.layer.name))
