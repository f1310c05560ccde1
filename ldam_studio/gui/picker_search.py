"""What the search field of the neuron picker finds. No Qt in here."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron, parse_neurons

if TYPE_CHECKING:
    from ldam_studio.networks.layers import Layer
    from ldam_studio.networks.network import Network


WHOLE = "whole"
"""What stands for a field that is the whole image."""


def shape_text(layer: Layer) -> str:
    """Return a layer's output shape as it is read aloud, such as ``6 × 28 × 28``."""
    return " × ".join(str(size) for size in layer.shape)


def field_text(network: Network, layer: Layer) -> str:
    """Return the size of what a layer's centre unit sees, such as ``11 × 11``.

    It is empty where that is found only when a neuron of the layer is looked at: the window does
    not wait for it.
    """
    if not network.knows_field(layer.name):
        return ""
    box = network.receptive_field(layer.name)
    if box is None:
        return WHOLE
    top, left, bottom, right = box
    return f"{bottom - top} × {right - left}"


def addresses_in(text: str) -> tuple[Neuron, ...]:
    """Return the neurons that a text is the address of, none if it is something else."""
    try:
        return tuple(parse_neurons(text))
    except StudioError:
        return ()


def words_of(text: str) -> str:
    """Return what to search for: of an address, also of one that is not finished, no place."""
    text = text.strip().removeprefix("-")
    if ":" not in text:
        return text
    address = text.partition("@")[0]
    found = addresses_in(address)
    return f"{found[0].layer}:{found[0].index}" if len(found) > 1 else address


class Index:
    """The searchable texts of one network, made once per layer when first needed."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = {layer.name: layer for layer in network.layers}
        self._names = tuple(name.casefold() for name in self._layers)
        self._kinds = {layer.name: layer.kind.casefold() for layer in network.layers}
        self._is_named = lru_cache(maxsize=256)(self._in_a_name)
        self.texts = lru_cache(maxsize=None)(self._texts)
        self._hay = lru_cache(maxsize=None)(self._haystacks)

    @property
    def class_layer(self) -> str:
        """The layer whose neurons are the classes; empty if the network has no labels."""
        return self._network.layers[-1].name if self._network.labels else ""

    def _texts(self, layer: str) -> tuple[str, ...]:
        """Return what each neuron of a layer is called in the list."""
        found = self._layers[layer]
        if layer == self.class_layer:
            labels = self._network.labels
            return tuple(
                _class_text(labels[i], i) if i < len(labels) else f"class {i}"
                for i in range(found.neurons)
            )
        word = "channel" if len(found.shape) > 1 else "unit"
        return tuple(f"{word} {i}" for i in range(found.neurons))

    def _haystacks(self, layer: str) -> tuple[str, ...]:
        return tuple(f"{text} {layer}:{i}".casefold() for i, text in enumerate(self.texts(layer)))

    def find(self, query: str, chosen: str) -> tuple[set[str], list[int]]:
        """Search layers by name and type, classes by label, neurons by number.

        Parameters
        ----------
        query
            What was typed; every word must be found. Empty finds everything.
        chosen
            The layer whose neurons are listed; empty for none.

        Returns
        -------
        tuple
            The names of the layers to show, and the indices of the neurons to list in ``chosen``.
        """
        words = query.casefold().split()
        layers = {name for name in self._layers if self._shows(name, words)}
        neurons = self.neurons(query, chosen) if chosen else []
        if neurons:
            layers.add(chosen)
        return layers, neurons

    def neurons(self, query: str, layer: str) -> list[int]:
        """Return the neurons of a layer that the query leaves, in order."""
        found = self._layers[layer]
        # A word that names the layer has done its work and need not be in the neuron's text too.
        left = self._left(found, query.casefold().split())
        if not left:
            return list(range(found.neurons))
        return [i for i, hay in enumerate(self._hay(layer)) if all(w in hay for w in left)]

    def _left(self, layer: Layer, words: list[str]) -> list[str]:
        """Return the words that do not describe the layer itself."""
        return [w for w in words if not self._describes(w, layer)]

    def _describes(self, word: str, layer: Layer) -> bool:
        # Names before types: "conv2" means the layer of that name, not every Conv2d.
        if self._is_named(word):
            return word in layer.name.casefold()
        return word in self._kinds[layer.name]

    def _in_a_name(self, word: str) -> bool:
        return any(word in name for name in self._names)

    def _shows(self, name: str, words: list[str]) -> bool:
        layer = self._layers[name]
        left = self._left(layer, words)
        if not left:
            return True
        # Numbers occur in every layer: only labels and full addresses may call up another one.
        if name == self.class_layer or any(w.startswith(f"{name.casefold()}:") for w in left):
            return any(all(w in hay for w in left) for hay in self._hay(name))
        return False


def _class_text(label: str, index: int) -> str:
    return f"class {label}" if label.isdecimal() else f"{label}  ·  {index}"
