"""What is looked at: a network, the pixels it takes, its layers and its neurons."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.layers import Box, Layer, list_layers, output_at, receptive_field
from ldam_studio.networks.pixels import PixelSpec

__all__ = ["Network", "Neuron", "PixelSpec", "parse_neurons"]

T = TypeVar("T")


@dataclass(frozen=True)
class Neuron:
    """One unit: a class, a feature, or a channel (which stands for the unit at its centre)."""

    layer: str
    index: int

    def __str__(self) -> str:
        """Return the address as it is typed, such as ``fc3:4``."""
        return f"{self.layer}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> Neuron:
        """Read an address such as ``fc3:4``; `StudioError` if it is none."""
        (neuron, *more) = parse_neurons(text)
        if more:
            raise StudioError(f"{text!r} names several neurons where one is wanted.")
        return neuron


def parse_neurons(text: str) -> list[Neuron]:
    """Read one address or a range of them: ``fc3:4`` or ``fc3:0-9``.

    Raises
    ------
    StudioError
        If the text is neither.
    """
    layer, colon, numbers = text.strip().rpartition(":")
    first, dash, last = numbers.partition("-")
    if not (layer and colon and first.isdecimal() and (last.isdecimal() or not dash)):
        raise StudioError(
            f"{text!r} is no neuron: write LAYER:NUMBER or LAYER:FIRST-LAST, such as fc3:4."
        )
    numbers_between = range(int(first), int(last if dash else first) + 1)
    if not numbers_between:
        raise StudioError(f"The range {text!r} runs backwards: write the smaller number first.")
    return [Neuron(layer, index) for index in numbers_between]


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
        # Channels last is what convolutions are fastest in, on processors as on CUDA.
        module = module.to(memory_format=torch.channels_last)
        self.module: nn.Module = module.eval().requires_grad_(False)
        self.pixels = pixels
        self.labels = labels
        self.sha256 = sha256
        self.weights = weights
        self._mean = torch.tensor(pixels.mean).reshape(1, -1, 1, 1)
        self._std = torch.tensor(pixels.std).reshape(1, -1, 1, 1)
        self._remembered: dict[Any, Any] = {}
        self.layers: tuple[Layer, ...] = list_layers(self)

    def to(self, device: torch.device | str) -> Network:
        """Move to `device`, in place; returns self."""
        if torch.device(device) == self.device:
            return self  # and what was measured still holds
        self.module.to(device)
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

    def receptive_field(self, layer: str) -> Box | None:
        """Return the pixels that the centre unit of a layer sees; None for the whole image."""
        return self.remembered(("field", layer), lambda: receptive_field(self, layer))

    @property
    def reference(self) -> dict[str, Any]:
        """Return what a recipe writes down to find this network again."""
        weights = None if self.weights is None else str(self.weights)
        found = {"name": self.name, "weights": weights, "sha256": self.sha256}
        # Only what the name does not say by itself.
        return found if self.given_pixels is None else found | {"pixels": asdict(self.given_pixels)}

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
        return neuron

    def label(self, neuron: Neuron) -> str:
        """Return the class's name for a class neuron, else the address."""
        if neuron.layer == self.layers[-1].name and neuron.index < len(self.labels):
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

    def activations(self, x: Tensor, layer: str) -> Tensor:
        """Return every neuron of a layer at pixels `x` (n, C, H, W): shape (n, neurons).

        For a convolution that is the channel's centre unit, for tokens the mean over them. The
        forward pass stops at the layer.
        """
        output = output_at(self.module, layer, self.normalise(x))
        if output.ndim == 2:
            return output
        known = self.layer(layer)
        output = output.movedim(known.axis + 1, 1)
        if output.ndim == 3:
            return output.mean(2)
        for size in output.shape[2:]:
            output = output.select(2, size // 2)
        return output

    def activation(self, x: Tensor, layer: str, indices: Tensor) -> Tensor:
        """Return one neuron per image: x (n, C, H, W), indices (n,) -> (n,)."""
        return self.activations(x, layer).gather(1, indices[:, None]).squeeze(1)
