"""Shows real images to networks, on a thread, and knows which were chosen for each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.explore.real_images.data_sets import DIGITS, suits
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.naming import Namer
from ldam_studio.explore.real_images.sources import Spec, words_of
from ldam_studio.gui.real_images.chosen import Choice, Chosen
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.errors import StudioError
    from ldam_studio.networks.network import Network

BUILD = "real-images-index"  # the name of the thread


class Showing(QObject):
    """One task at a time, which goes on while the panel is hidden."""

    began = pyqtSignal(str)  # what is being shown to which network, in words
    staged = pyqtSignal(object)  # Stage
    failed = pyqtSignal(str)
    changed = pyqtSignal()  # an index may have more images, or fewer

    def __init__(self, chosen: Chosen, parent: QObject) -> None:
        super().__init__(parent)
        self.chosen = chosen
        self._task: tuple[Network, Task] | None = None
        self._namer: tuple[Network, Choice, Namer] | None = None
        self._refused: Network | None = None  # shown no digits by itself, since that failed
        self._left = False

    @property
    def network(self) -> Network | None:
        """The network that is being shown images; None if none is."""
        return None if self._task is None else self._task[0]

    def choice(self, network: Network) -> Choice | None:
        """Return the chosen images, or the shipped digits for a network of digits."""
        is_of_digits = suits(DIGITS, network.pixels) and network.class_layer.neurons == 10
        return self.chosen.of(network) or (Choice(Spec(DIGITS)) if is_of_digits else None)

    def begins_by_itself(self, network: Network, choice: Choice) -> bool:
        """Return whether images are shown without being asked for: it takes less than a second."""
        return choice.spec.kind == DIGITS and self._refused is not network

    def build(self, network: Network, choice: Choice, layers: tuple[str, ...]) -> None:
        """Show images to a network; what was being shown before is abandoned."""
        self.cancel()
        task = Task(lambda _task: build(network, choice.spec, layers, choice.limit))
        task.setObjectName(BUILD)
        task.staged.connect(self.staged)
        task.done.connect(lambda _report: self._built())
        task.failed.connect(partial(self._fail, network))
        self._task = network, task
        self.began.emit(f"Showing {words_of(choice.spec)} to {short_name(network.name)}")
        task.start()

    def cancel(self) -> None:
        """Stop showing images; what was measured is kept."""
        if self._task is not None:
            network, task = self._task
            self._task = None
            self._refused = network
            task.leave()
            # Only now is on the disk what was measured.
            task.finished.connect(self._forget)

    def leave(self) -> None:
        """Abandon all work; what was measured is kept."""
        self._left = True
        if self._task is not None:
            self._task[1].leave()
            self._task = None

    def namer(self, network: Network) -> Namer | None:
        """Return what names the nearest real images of a network; None while it is shown some."""
        choice = self.choice(network)
        if choice is None or self._left or self._task is not None:
            return None
        known = self._namer
        if known is None or known[0] is not network or known[1] != choice:
            builds = self.begins_by_itself(network, choice)
            known = network, choice, Namer(network, choice.spec, choice.limit, builds=builds)
            self._namer = known
        return known[2]

    def _built(self) -> None:
        self._task = self._refused = None
        self._forget()

    def _fail(self, network: Network, error: StudioError) -> None:
        self._task, self._refused = None, network
        self.failed.emit(str(error))

    def _forget(self) -> None:
        if not self._left:
            self._namer = None
            self.changed.emit()
