"""The layers of a network as a tree, and a filter for those that a search found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from PyQt6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QSortFilterProxyModel,
    Qt,
)
from PyQt6.QtGui import QColor, QFont

from ldam_studio.gui.picker.search import WHOLE, field_text, shape_text
from ldam_studio.gui.theme import theme

if TYPE_CHECKING:
    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.network import Network

Role = Qt.ItemDataRole
COLUMNS = ("Layer", "Sees", "Shape", "Type")
SEES, SHAPE, TYPE = 1, 2, 3
_ROOT = QModelIndex()


def small(font: QFont) -> QFont:
    """Return the font of the columns beside the names."""
    found = QFont(font)
    found.setPointSizeF(font.pointSizeF() * 0.9)
    return found


@dataclass(eq=False)
class Node:
    """A node of the tree: a layer, a container of layers, or both."""

    name: str  # the last part of the dotted name
    path: str  # the whole dotted name
    parent: Node | None = None
    layer: Layer | None = None
    row: int = 0  # its position among its parent's children
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node:
        """Return the child of that name; it is created if there is none."""
        for node in self.children:
            if node.name == name:
                return node
        path = f"{self.path}.{name}" if self.path else name
        node = Node(name, path, self, row=len(self.children))
        self.children.append(node)
        return node


class LayerModel(QAbstractItemModel):
    """Layers nested by their dotted names, with columns `COLUMNS`."""

    def __init__(self, network: Network | None, parent: QObject) -> None:
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

    @property
    def depth(self) -> int:
        """The number of containers around the deepest layer."""
        return max((name.count(".") for name in self._nodes), default=0)

    def texts(self, column: int) -> list[str]:
        """Return the texts of all layers in a column."""
        return [self._text(node, column) for node in self._nodes.values()]

    def _text(self, node: Node, column: int) -> str:
        layer = node.layer
        if column == 0 or layer is None:
            return node.name if column == 0 else ""
        if column == SEES:
            return self._field(layer).replace(" ", "")
        return shape_text(layer).replace(" ", "") if column == SHAPE else layer.kind

    def _font(self, column: int, *, shown: bool) -> QFont:
        font = small(QFont()) if column else QFont()
        font.setBold(shown and column == 0)
        return font

    def _field(self, layer: Layer) -> str:
        return "" if self._network is None else field_text(self._network, layer)

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
        """Return the index of a layer; an invalid one if it is not in the model."""
        node = self._nodes.get(layer)
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.row, 0, node)

    def layer_at(self, index: QModelIndex) -> Layer | None:
        """Return the layer at an index; None for a container that is no layer."""
        return self._node(index).layer

    def _node(self, index: QModelIndex) -> Node:
        node = index.internalPointer() if index.isValid() else None
        return node if isinstance(node, Node) else self._root

    def index(self, row: int, column: int, parent: QModelIndex = _ROOT) -> QModelIndex:
        """Return a child's index."""
        children = self._node(parent).children
        if 0 <= row < len(children) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, children[row])
        return QModelIndex()

    @overload
    def parent(self, child: QModelIndex) -> QModelIndex: ...
    @overload
    def parent(self) -> QObject | None: ...
    def parent(self, child: QModelIndex | None = None) -> QModelIndex | QObject | None:
        """Return the index of a node's container; without a node, the model's own parent."""
        if child is None:
            return super().parent()
        node = self._node(child).parent
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.row, 0, node)

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return how many children a node has."""
        return 0 if parent.column() > 0 else len(self._node(parent).children)

    def columnCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> str | None:
        """Return a column's title."""
        return COLUMNS[section] if role == Role.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Return the value of an item for one of Qt's roles."""
        node = self._node(index)
        layer = node.layer
        if role == Role.DisplayRole:
            return self._text(node, index.column())
        if role == Role.FontRole:
            return self._font(index.column(), shown=node.path in self._shown)
        if role == Role.ForegroundRole and index.column() > 0:
            return QColor(theme.current().muted)
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            if layer is None:
                return f"{node.path}: {len(node.children)} inside"
            shown = ", shown" if node.path in self._shown else ""
            units = "neuron" if layer.neurons == 1 else "neurons"
            sees = self._field(layer)
            sees = f", sees {'the whole image' if sees == WHOLE else sees}" if sees else ""
            return (
                f"{layer.name}: {layer.kind}, {shape_text(layer)}, {layer.neurons} {units}"
                f"{sees}{shown}"
            )
        return None


class LayerFilter(QSortFilterProxyModel):
    """Shows the layers that a search found, and the containers around them."""

    def __init__(self, layers: LayerModel, parent: QObject) -> None:
        super().__init__(parent)
        self.setRecursiveFilteringEnabled(True)
        self._names: frozenset[str] | None = None
        self.set_layers(layers)

    def set_layers(self, layers: LayerModel) -> None:
        """Use another source model."""
        self._layers = layers
        self.setSourceModel(layers)

    def leave(self, names: Iterable[str] | None) -> None:
        """Show these layers only; None shows all."""
        wanted = None if names is None else frozenset(names)
        if wanted != self._names:
            self._names = wanted
            self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        """Return whether a row is shown."""
        if self._names is None:
            return True
        layer = self._layers.layer_at(self._layers.index(row, 0, parent))
        return layer is not None and layer.name in self._names
