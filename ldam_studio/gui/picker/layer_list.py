"""The list of one layer's neurons."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QItemSelectionModel, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent

from ldam_studio.gui.picker.lists import NeuronList
from ldam_studio.gui.picker.neuron_model import NeuronModel
from ldam_studio.gui.qt import present

_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)


class LayerList(NeuronList):
    """The neurons of one layer that the search found; the user or a method picks one of them.

    A *place* is an index among all neurons that were found, listed or not (see `NeuronModel`).
    """

    picked = pyqtSignal(int)  # the neuron's index in its layer

    def __init__(self) -> None:
        super().__init__("Neurons of the layer")
        self._neurons = NeuronModel(self)
        self._random = random.Random()  # only for `pick_random`; the sampler does not use it
        self.setModel(self._neurons)
        self.clicked.connect(self._pick_index)
        self.stepped.connect(self._pick_index)

    @property
    def count(self) -> int:
        """How many neurons were found."""
        return self._neurons.count

    def fill(self, texts: Sequence[str], indices: NDArray[np.int_], shown: Iterable[int]) -> None:
        """List neurons (see `NeuronModel.fill`)."""
        self._neurons.fill(texts, indices, shown)

    def set_shown(self, shown: Iterable[int]) -> None:
        """Mark the neurons that the chains show."""
        self._neurons.set_shown(shown)

    def point_at(self, neuron: int) -> None:
        """Make a neuron the current one, without picking it; none if it was not found."""
        self._point_at(self._neurons.place_of(neuron))

    def pick_first(self) -> None:
        """Pick the first neuron."""
        self._pick_at(0)

    def pick_neighbour(self, by: int) -> None:
        """Pick the neuron `by` places further on; after the last comes the first."""
        here = self._here()
        if here < 0:
            here = -1 if by > 0 else 0
        if self.count:
            self._pick_at((here + by) % self.count)

    def pick_random(self) -> None:
        """Pick a random neuron other than the current one."""
        count, here = self.count, self._here()
        if count:
            place = self._random.randrange(count if here < 0 or count == 1 else count - 1)
            # The current neuron is skipped: the places after it move up by one.
            self._pick_at(place + 1 if 0 <= here <= place and count > 1 else place)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go to the first and last neuron, listed or not, with Home and End."""
        key = present(event).key()
        if key not in _ENDS:
            super().keyPressEvent(event)
            return
        place = self.count - 1 if key == Qt.Key.Key_End else 0
        if place >= 0 and place != self._here():
            self._pick_at(place)

    def _here(self) -> int:
        """Return the place of the current neuron, -1 if there is none."""
        row = self.currentIndex().row()
        return -1 if row < 0 or self._neurons.is_line(row) else self._neurons.place_in(row)

    def _pick_index(self, index: QModelIndex) -> None:
        place = self._neurons.place_in(index.row())
        if self._neurons.is_line(index.row()):
            self._pick_at(place)  # this also lists the neurons that the line stands for
        else:
            self.picked.emit(self._neurons.neuron_at(place))

    def _pick_at(self, place: int) -> None:
        self._point_at(place)
        self.picked.emit(self._neurons.neuron_at(place))

    def _point_at(self, place: int) -> None:
        row = self._neurons.row_of(place) if place >= 0 else -1
        index = self._neurons.index(row) if row >= 0 else QModelIndex()
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        present(self.selectionModel()).setCurrentIndex(index, flag)
        if index.isValid():
            self.scrollTo(index)
