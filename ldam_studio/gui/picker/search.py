"""The neuron picker's search over layers, classes and neurons. No Qt in here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, overload

import numpy as np

from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron, typed_neurons, unsigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.network import Network


WHOLE = "whole"
"""Stands for a receptive field that is the whole image."""


def shape_text(layer: Layer) -> str:
    """Return a layer's output shape in words, such as ``6 × 28 × 28``."""
    return " × ".join(str(size) for size in layer.shape)


def field_text(network: Network, layer: Layer) -> str:
    """Return the size of the receptive field of a layer's centre unit, such as ``11 × 11``.

    It is empty if the field has not been computed yet, which happens when a neuron of the layer is
    chosen, because computing it would freeze the window.
    """
    if not network.knows_field(layer.name):
        return ""
    box = network.receptive_field(layer.name)
    if box is None:
        return WHOLE
    top, left, bottom, right = box
    return f"{bottom - top} × {right - left}"


def addresses_in(text: str, layers: Collection[str] = ()) -> tuple[Neuron, ...]:
    """Return the neurons that a text addresses; empty if it is not an address."""
    try:
        return tuple(typed_neurons(text, layers))
    except StudioError:
        return ()


def words_of(text: str) -> str:
    """Return what to search for: of a complete or incomplete address, the part before "@"."""
    text = unsigned(text.strip())
    layer, colon, behind = text.rpartition(":")
    if not colon:
        return text
    address = f"{layer}:{behind.partition('@')[0]}"
    found = addresses_in(address)
    return f"{found[0].layer}:{found[0].index}" if len(found) > 1 else address


@dataclass(frozen=True)
class Numbered(Sequence[str]):
    """The texts of neurons without names: a word and a number, such as "unit 7".

    A layer may have hundreds of thousands of neurons, so they are searched without creating the
    texts.
    """

    word: str
    size: int

    def __len__(self) -> int:
        """Return the number of neurons."""
        return self.size

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        """Return one text, or a slice of them."""
        if isinstance(index, slice):
            return [f"{self.word} {i}" for i in range(self.size)[index]]
        return f"{self.word} {range(self.size)[index]}"

    def having(self, text: str, layer: str) -> NDArray[np.bool_]:
        """Return, for each neuron, whether "WORD NUMBER LAYER:NUMBER" contains a text.

        The text must not contain spaces.
        """
        if text in self.word or text in f"{layer}:":
            return np.ones(self.size, dtype=np.bool_)
        found = np.zeros(self.size, dtype=np.bool_)
        if _is_number(text):
            found |= _containing(text, self.size)
        for end in range(1, len(text)):
            if f"{layer}:".endswith(text[:end]) and _is_number(text[end:]):
                found |= _beginning(text[end:], self.size)
        return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _containing(digits: str, count: int) -> NDArray[np.bool_]:
    """Return which of the numbers below `count` have these digits in a row."""
    if len(digits) > len(str(count)):
        return np.zeros(count, dtype=np.bool_)
    rest = np.arange(count, dtype=np.int64)
    found: NDArray[np.bool_] = (rest == 0) & (digits == "0")
    while rest[-1]:  # the largest number
        ends: NDArray[np.bool_] = rest % 10 ** len(digits) == int(digits)
        # No number begins with 0, so there must be a digit before it.
        found |= ends if digits[0] != "0" else ends & (rest >= 10 ** len(digits))
        rest = rest // 10
    return found


def _beginning(digits: str, count: int) -> NDArray[np.bool_]:
    """Return which of the numbers below `count` begin with these digits."""
    found = np.zeros(count, dtype=np.bool_)
    first, after = int(digits), int(digits) + 1
    if digits[0] == "0":
        found[: digits == "0"] = True
        return found
    while first < count:
        found[first:after] = True
        first, after = 10 * first, 10 * after
    return found


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes
    ----------
    layer
        The layer whose neurons are listed.
    layers
        The layers to show; None for all.
    neurons
        The indices of the neurons to list.
    addressed
        Whether the text is the address of these neurons.
    problem
        One sentence if nothing was found, else empty.
    """

    layer: str
    layers: frozenset[str] | None
    neurons: NDArray[np.int_]
    addressed: bool = False
    problem: str = ""


class Index:
    """The searchable texts of one network; those of a layer are made at the first use."""

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
        return self._network.class_layer.name if self._network.labels else ""

    def _texts(self, layer: str) -> Sequence[str]:
        """Return the text of each neuron of a layer, as it is listed."""
        found = self._layers[layer]
        if layer == self.class_layer:
            labels = self._network.labels
            return tuple(
                _class_text(labels[i], i) if i < len(labels) else f"class {i}"
                for i in range(found.neurons)
            )
        return Numbered("channel" if len(found.shape) > 1 else "unit", found.neurons)

    def _haystacks(self, layer: str) -> tuple[str, ...]:
        return tuple(f"{text} {layer}:{i}".casefold() for i, text in enumerate(self.texts(layer)))

    def _having(self, layer: str, words: list[str]) -> NDArray[np.bool_]:
        """Return, for each neuron of a layer, whether its text or address contains all words."""
        texts = self.texts(layer)
        if isinstance(texts, Numbered):
            found = np.ones(len(texts), dtype=np.bool_)
            for word in words:
                found &= texts.having(word, layer.casefold())
            return found
        hay = self._hay(layer)
        return np.fromiter((all(w in text for w in words) for text in hay), np.bool_, len(hay))

    def layer(self, name: str) -> Layer:
        """Return the layer of this name."""
        return self._layers[name]

    def size(self, layer: str) -> int:
        """Return how many neurons a layer has."""
        return self._layers[layer].neurons

    def typed(self, text: str) -> tuple[Neuron, ...] | str:
        """Return the neurons that a text addresses, or a sentence if the network lacks them."""
        try:
            return tuple(self._network.check(neuron) for neuron in addresses_in(text, self._layers))
        except StudioError as error:
            return str(error)

    def search(self, text: str, layer: str) -> Found:
        """Search for the text in the search field.

        Parameters
        ----------
        text
            The text.
        layer
            The layer whose neurons are listed now; it stays if the search finds anything in it.
        """
        query, typed = words_of(text), self.typed(text)
        if typed and not isinstance(typed, str):
            layer = typed[0].layer
            indices = np.array(sorted({neuron.index for neuron in typed}), np.int_)
            return Found(layer, frozenset((layer,)), indices, addressed=True)
        problem = typed if isinstance(typed, str) else ""
        if not query:
            return Found(layer, None, np.arange(self.size(layer)), problem=problem)
        # A container's name is found in the names of its layers, too, which come first.
        whole = (name for name in self._layers if name.casefold() == query.casefold())
        layer = next(whole, layer)
        layers, neurons = self.find(query, layer)
        if layers and layer not in layers:
            layer = next(name for name in self._layers if name in layers)
            neurons = self.neurons(query, layer)
        if not layers:
            problem = problem or f"Nothing here is called “{query}”.\nEsc clears the search."
        return Found(layer, frozenset(layers), neurons, problem=problem)

    def find(self, query: str, chosen: str) -> tuple[set[str], NDArray[np.int_]]:
        """Search layers by name and type, classes by label, neurons by number.

        Parameters
        ----------
        query
            The text to find; every word of it must be found. An empty query finds everything.
        chosen
            The layer whose neurons are listed; empty for none.

        Returns
        -------
        tuple
            The names of the layers to show, and the indices of the neurons to list in ``chosen``.
        """
        words = self._words(query)
        layers = {name for name in self._layers if self._shows(name, words)}
        neurons = self.neurons(query, chosen) if chosen else np.arange(0)
        if len(neurons):
            layers.add(chosen)
        return layers, neurons

    def neurons(self, query: str, layer: str) -> NDArray[np.int_]:
        """Return the neurons of a layer that match a query, in order."""
        found = self._layers[layer]
        # A word that names the layer need not occur in the neuron's text too.
        left = self._left(found, self._words(query))
        if not left:
            return np.arange(found.neurons)
        return np.flatnonzero(self._having(layer, left))

    def _words(self, query: str) -> list[str]:
        """Return the words of a query; an address is one word, also if its layer has spaces."""
        query = query.casefold()
        return [query] if query.rpartition(":")[0] in self._names else query.split()

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
        # Numbers occur in every layer: only labels and full addresses bring up another layer.
        if name == self.class_layer or any(w.startswith(f"{name.casefold()}:") for w in left):
            return bool(self._having(name, left).any())
        return False


def _class_text(label: str, index: int) -> str:
    return f"class {label}" if label.isdecimal() else f"{label}  ·  {index}"
