"""The neuron picker's models: a network's layers as a tree, a layer's neurons as a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PyQt6.QtGui import QColor, QFont

from ldam_studio.gui.picker.search import WHOLE, field_text, shape_text
from ldam_studio.gui.theme import theme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.network import Network

Role = Qt.ItemDataRole
COLUMNS = ("Layer", "Sees", "Shape", "Type")
SEES, SHAPE, TYPE = 1, 2, 3
MOST = 2000  # neurons that are listed at once: more would hold the window up at each key
_ROOT = QModelIndex()


@dataclass(eq=False)
class Node:
    """A place in the tree: a layer, a container of layers, or both."""

    name: str  # the last part of the dotted name
    path: str  # the whole of it
    parent: Node | None = None
    layer: Layer | None = None
    row: int = 0  # among its parent's children
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node:
        """Return the child of that name, made if there is none."""
        for node in self.children:
            if node.name == name:
                return node
        path = f"{self.path}.{name}" if self.path else name
        node = Node(name, path, self, row=len(self.children))
        self.children.append(node)
        return node


class LayerModel(QAbstractItemModel):
    """Layers nested by their dotted names; columns name, receptive field, shape and type."""

    def __init__(self, network: Network | None = None, parent: Any = None) -> None:
        super().__init__(parent)
        self._network = network
        self._root = Node("", "")
        self._nodes: dict[str, Node] = {}
        self._shown: frozenset[str] = frozenset()
        for layer in network.layers if network is not None else ():
            node = self._root
            for part in layer.name.split("."):
                node = node.child(part)
            node.layer = layer
            self._nodes[layer.name] = node

    def texts(self, column: int) -> list[str]:
        """Return what stands in a column, for all layers."""
        return [self._text(node, column) for node in self._nodes.values()]

    def _text(self, node: Node, column: int) -> str:
        layer = node.layer
        if column == 0 or layer is None:
            return node.name if column == 0 else ""
        if column == SEES:
            return field_text(self._network, layer)
        return shape_text(layer) if column == SHAPE else layer.kind

    def set_shown(self, layers: Iterable[str]) -> None:
        """Mark the layers whose neurons the chains show."""
        old, self._shown = self._shown, frozenset(layers)
        for name in old ^ self._shown:
            index = self.index_of(name)
            if index.isValid():
                self.dataChanged.emit(
                    index, index.siblingAtColumn(len(COLUMNS) - 1), [Role.FontRole]
                )

    def index_of(self, layer: str) -> QModelIndex:
        """Return where a layer is; an invalid index if it is not here."""
        node = self._nodes.get(layer)
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.row, 0, node)

    def layer_at(self, index: QModelIndex) -> Layer | None:
        """Return the layer at an index, None for a mere container."""
        return self._node(index).layer

    def _node(self, index: QModelIndex) -> Node:
        return index.internalPointer() if index.isValid() else self._root

    def index(self, row: int, column: int, parent: QModelIndex = _ROOT) -> QModelIndex:
        """Return a child's index."""
        children = self._node(parent).children
        if 0 <= row < len(children) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, children[row])
        return QModelIndex()

    def parent(self, index: QModelIndex) -> QModelIndex:
        """Return the index of a node's container."""
        node = self._node(index).parent
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.row, 0, node)

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return how many children a node has."""
        return 0 if parent.column() > 0 else len(self._node(parent).children)

    def columnCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = Role.DisplayRole) -> Any:
        """Return a column's title."""
        return COLUMNS[section] if role == Role.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return what Qt asks for at an index."""
        node = self._node(index)
        layer = node.layer
        if role == Role.DisplayRole:
            return self._text(node, index.column())
        if role == Role.FontRole and node.path in self._shown:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.ForegroundRole and index.column() > 0:
            return QColor(theme.current().muted)
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            if layer is None:
                return f"{node.path}: {len(node.children)} inside"
            shown = ", shown" if node.path in self._shown else ""
            units = "neuron" if layer.neurons == 1 else "neurons"
            sees = field_text(self._network, layer)
            sees = f", sees {'the whole image' if sees == WHOLE else sees}" if sees else ""
            return (
                f"{layer.name}: {layer.kind}, {shape_text(layer)}, {layer.neurons} {units}"
                f"{sees}{shown}"
            )
        return None


class LayerFilter(QSortFilterProxyModel):
    """Leaves the layers that a search found, and the containers that lead to them."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setRecursiveFilteringEnabled(True)
        self._names: frozenset[str] | None = None

    def leave(self, names: Iterable[str] | None) -> None:
        """Show these layers only; None shows all."""
        wanted = None if names is None else frozenset(names)
        if wanted != self._names:
            self._names = wanted
            self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        """Tell Qt whether a row stays."""
        if self._names is None:
            return True
        model = self.sourceModel()
        layer = model.layer_at(model.index(row, 0, parent))
        return layer is not None and layer.name in self._names


class NeuronModel(QAbstractListModel):
    """The neurons of one layer that a search has left.

    Of very many only a part is listed, since Qt asks for each row: at most `MOST`, around the place
    that was asked for last, and a line that says how many more there are. A *place* counts all that
    were found, a row what is listed, that line included.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._texts: Sequence[str] = ()
        self._found: NDArray[np.int_] = np.arange(0)
        self._first = 0  # the place of the first neuron that is listed
        self._shown: frozenset[int] = frozenset()

    def fill(
        self, texts: Sequence[str], indices: Sequence[int] | NDArray[np.int_], shown: Iterable[int]
    ) -> None:
        """List the neurons of these indices, which rise; ``texts`` names all of the layer's."""
        self.beginResetModel()
        self._texts, self._found = texts, np.asarray(indices, dtype=np.int_)
        self._first = 0
        self._shown = frozenset(shown)
        self.endResetModel()

    def set_shown(self, indices: Iterable[int]) -> None:
        """Mark the neurons that the chains show."""
        self._shown = frozenset(indices)
        if self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    @property
    def count(self) -> int:
        """How many neurons were found, listed or not."""
        return len(self._found)

    def neuron_at(self, place: int) -> int:
        """Return the index in its layer of the neuron at a place."""
        return int(self._found[place])

    def place_of(self, neuron: int) -> int:
        """Return the place of a neuron, -1 if it was not found."""
        place = int(self._found.searchsorted(neuron))
        return place if place < self.count and self._found[place] == neuron else -1

    def place_in(self, row: int) -> int:
        """Return the place in a row; in a line about more, that of the next neuron there."""
        return row - self._lines_before + self._first

    def is_line(self, row: int) -> bool:
        """Whether a row says how many more there are."""
        return not self._first <= self.place_in(row) < self._end

    def row_of(self, place: int) -> int:
        """Return the row of a place, which is listed from now on."""
        if not self._first <= place < self._end:
            self.beginResetModel()
            self._first = max(0, min(place - MOST // 2, self.count - MOST))
            self.endResetModel()
        return place - self._first + self._lines_before

    @property
    def _end(self) -> int:
        return min(self._first + MOST, self.count)

    @property
    def _lines_before(self) -> int:
        return int(self._first > 0)

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return how many rows are listed."""
        if parent.isValid():
            return 0
        return self._lines_before + self._end - self._first + int(self._end < self.count)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return what Qt asks for at an index."""
        if self.is_line(index.row()):
            return self._of_line(index.row(), role)
        neuron = self.neuron_at(self.place_in(index.row()))
        shown = neuron in self._shown
        if role == Role.DisplayRole:
            return self._texts[neuron]
        if role == Role.AccessibleTextRole:
            return f"{self._texts[neuron]}, shown" if shown else self._texts[neuron]
        if role == Role.FontRole and shown:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.ForegroundRole and shown:
            return QColor(theme.current().accent)
        return None

    def _of_line(self, row: int, role: int) -> Any:
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            before = row == 0 and self._first
            return f"{self._first:,} before" if before else f"{self.count - self._end:,} more"
        if role == Role.ForegroundRole:
            return QColor(theme.current().muted)
        return None
