"""A network whose neurons have addresses, and of whose neurons some are classes."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.class_values import ACTIVATION, ClassValue
from ldam_studio.networks.anatomy.ending import Ending, find_ending
from ldam_studio.networks.anatomy.layers import Layer, output_at
from ldam_studio.networks.anatomy.objectives import kind_of
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.statistics.compared import Compared
from ldam_studio.networks.told import told


class Addressed(Compared):
    """A module whose neurons have addresses.

    The parameters are those of `Compared`, and the names of the classes, which may be empty.
    """

    def __init__(
        self, name: str, module: nn.Module, pixels: PixelSpec, labels: tuple[str, ...] = ()
    ) -> None:
        super().__init__(name, module, pixels)
        self.labels = labels
        self._class_layer = self.listing.outputs[0]

    @property
    def class_layer(self) -> Layer:
        """The layer whose neurons are the classes: one that the network returns, or the last."""
        return self.layer(self._class_layer)

    @property
    def class_words(self) -> str:
        """What has the classes: a layer, and what it is called in what the network returns."""
        entry = next((e for e, name in self.listing.entries if name == self._class_layer), None)
        return _with_layer(entry or self._class_layer, self._class_layer)

    @property
    def beside_classes(self) -> str:
        """What else the network returns, as a clause; empty if there is nothing."""
        entries = self.listing.entries
        others = [_with_layer(*entry) for entry in entries if entry[1] != self._class_layer]
        also = "also " if len(others) < len(entries) else ""
        return f"it {also}returns {', '.join(others)}" if others else ""

    def choose_class_layer(self, name: str, labels: tuple[str, ...] = ()) -> None:
        """Take the neurons of another layer for the classes, with these names.

        Raises
        ------
        StudioError
            If there is no such layer.
        """
        self._class_layer = self.layer(name).name
        self.labels = labels

    def class_value(self, layer: str, objective: str) -> ClassValue | None:
        """Return the value of a layer's neurons for the setting `objective`.

        None stands for the activation, which it is in all layers but that of the classes.
        """
        last = self.class_layer
        if objective == ACTIVATION or layer != last.name:
            return None
        key = ("ending", layer)
        return ClassValue(objective, self.remembered(key, lambda: self._ending(last)))

    def _ending(self, last: Layer) -> Ending:
        weights = (*self.module.parameters(), *self.module.buffers())

        def run() -> Tensor:
            with self.guarded():
                return output_at(self.module, last, self.noise())

        with told(f"looking for the last rectifier before {last.name}"):
            return find_ending(run, weights, 1 + last.axis)

    def check(self, neuron: Neuron) -> Neuron:
        """Return `neuron`, with its layer's present name; `StudioError` if there is none."""
        layer = self.layer(neuron.layer)
        if layer.name != neuron.layer:
            neuron = replace(neuron, layer=layer.name)
        whose = f"{self.name}'s layer {layer.name}"
        if not 0 <= neuron.index < layer.neurons:
            raise StudioError(f"{whose} has neurons 0 to {layer.neurons - 1}, not {neuron.index}.")
        if isinstance(neuron.place, tuple):
            sizes = layer.places
            if len(neuron.place) != len(sizes):
                raise StudioError(_how_to_write(whose, layer, neuron.place))
            if any(at >= size for at, size in zip(neuron.place, sizes, strict=True)):
                raise StudioError(
                    f"{whose} has {' x '.join(map(str, sizes))} places; {neuron} is not among them."
                )
        elif neuron.place is not None and not layer.places and kind_of(neuron.place).needs_places:
            raise StudioError(f"{whose} has no places; leave out @{neuron.place}.")
        return neuron

    def label(self, neuron: Neuron) -> str:
        """Return the class's name for a class neuron, else the address."""
        plain = neuron.place is None and neuron.sign > 0
        if plain and neuron.layer == self._class_layer and neuron.index < len(self.labels):
            return self.labels[neuron.index]
        return str(neuron)

    def default_neurons(self, chains: int) -> tuple[Neuron, ...]:
        """Return class neurons, one per chain, repeated if there are fewer."""
        return self.spread(self._class_layer, chains)

    def spread(self, layer: str, chains: int) -> tuple[Neuron, ...]:
        """Return neurons of a layer, one per chain, repeated if the layer has fewer."""
        count = self.layer(layer).neurons
        return tuple(Neuron(layer, i % count) for i in range(chains))


def _with_layer(entry: str, layer: str) -> str:
    return entry if entry == layer else f"{entry} ({layer})"


def _how_to_write(whose: str, layer: Layer, place: tuple[int, ...]) -> str:
    """Return an error message about a place that does not suit the layer."""
    if not layer.places:
        return f"{whose} has no places; leave out @{','.join(map(str, place))}."
    wanted = {1: "@TOKEN", 2: "@Y,X"}.get(len(layer.places), "@mean")
    return f"A place in {whose} is written {wanted}."
