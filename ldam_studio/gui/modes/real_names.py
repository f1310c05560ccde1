"""Names the real image that is nearest to each mode, on a thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.errors import plain
from ldam_studio.gui.stragglers import wait_for
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldam_studio.explore.modes.observations import Mode
    from ldam_studio.explore.real_images.naming import Namer, RealName
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.neurons import Neuron


NAME = "modes-real-images"  # of the thread


class RealNames(QObject):
    """Keeps the nearest real image of each mode of the neuron in front, where one is known."""

    changed = pyqtSignal()

    def __init__(self, studio: Studio, parent: QObject) -> None:
        super().__init__(parent)
        self._studio = studio
        self._task: Task | None = None
        self._about: tuple[Neuron, Namer] | None = None
        self._pictures: dict[int, object] = {}  # for which names were found, by the mode's number
        self._names: dict[int, RealName] = {}

    def of(self, mode: Mode) -> RealName | None:
        """Return the real image nearest to a mode; None if it is not known."""
        return self._names.get(mode.number)

    def tip(self, mode: Mode) -> str:
        """Return a line about it for the mode's tool tip; empty if it is not known."""
        found = self._names.get(mode.number)
        if found is None:
            return ""
        return f"\nNearest real image: {plain(found.name)} (cosine {found.cosine:.2f})."

    def look(self, neuron: Neuron, modes: Sequence[Mode]) -> None:
        """Look for the real images of modes that have new pictures."""
        namer = self._studio.nearest_real()
        about = None if namer is None else (neuron, namer)
        if about != self._about:
            self.leave()
            self._about = about
            self._pictures.clear()
            self._names.clear()
        numbers = {mode.number for mode in modes}
        for number in self._names.keys() - numbers:
            del self._names[number]
        new = [m for m in modes if m.picture is not None and not self._is_known(m)]
        if about is None or not new or self._task is not None:
            return
        images = [torch.from_numpy(np.array(m.picture, np.float32)) for m in new]
        task = self._task = Task(lambda _task: about[1].name(about[0], images))
        task.setObjectName(NAME)
        task.done.connect(partial(self._take, new))
        # What is wrong with real images is said where they are shown.
        task.failed.connect(lambda _error: self._take(new, []))
        task.start()

    def leave(self) -> None:
        """Abandon what is being looked for; returns at once."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def close(self) -> None:
        """Wait until what was abandoned has ended."""
        wait_for(NAME)

    def _is_known(self, mode: Mode) -> bool:
        return self._pictures.get(mode.number) is mode.picture

    def _take(self, modes: Sequence[Mode], found: Sequence[RealName]) -> None:
        self._task = None
        self._pictures.update((mode.number, mode.picture) for mode in modes)
        if found:
            self._names.update(zip((m.number for m in modes), found, strict=True))
            self.changed.emit()
