"""Uses other weights in the running session, which are read on a thread of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QFileDialog

from ldam_studio.errors import StudioError
from ldam_studio.gui.control_names import in_window
from ldam_studio.gui.opening.drop import REFUSED
from ldam_studio.gui.opening.file_kinds import WEIGHTS
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network


class OpenWeights(QObject):
    """Reads weights of the network or of a discriminator; what is wrong with them is a message."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self._task: Task | None = None

    @property
    def is_reading(self) -> bool:
        """Whether weights are being read."""
        return self._task is not None

    def leave(self) -> None:
        """Abandon what is still being read."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def of_network(self, path: Path) -> None:
        """Use other weights for the network of the session, which is one that ships."""
        outline = self._studio.model.outline
        # It is moved to the device there, because the sampler's thread uses it from then on.
        work = partial(_with_weights, outline.lane.network.name, path, outline.device.name)
        self._read(work, self._take_network)

    def ask_for_discriminator(self) -> None:
        """Ask for a file with a discriminator's weights, and use them."""
        path, _ = QFileDialog.getOpenFileName(
            self._studio.places.root, "Open a discriminator's weights", "", WEIGHTS.filter
        )
        if path:
            try:
                self.of_discriminator(Path(path))
            except StudioError as error:
                self._studio.notices.say(str(error), "danger")

    def of_discriminator(self, path: Path) -> None:
        """Use a saved discriminator.

        Raises
        ------
        StudioError
            If there is none for this network. What is wrong with the file is said when it was read.
        """
        from ldam_studio.networks.discriminators import discriminator_for, open_discriminator

        network = self._studio.model.outline.lane.network
        name = discriminator_for(network)
        if name is None:
            raise StudioError(f"There is no discriminator for {network.name} yet.")
        take = partial(self._take_discriminator, path, network)
        self._read(lambda _task: open_discriminator(name, path), take)

    def _read(self, work: Callable[[Task], object], take: Callable[..., object]) -> None:
        self.leave()
        self._task = Task(work)
        self._task.setObjectName("weights-reader")
        self._task.done.connect(take)
        self._task.failed.connect(self._refuse)
        self._task.start()

    def _take_network(self, network: Network) -> None:
        self.leave()
        model = self._studio.model
        # Meanwhile another session may have been opened.
        if model.is_open and model.outline.lane.network.name == network.name:
            self._studio.controller.set_network(network)
            name = present(network.weights).name
            self._studio.notices.say(f"The network now has the weights in {name}.")

    def _take_discriminator(self, path: Path, network: Network, model: DiscriminatorModel) -> None:
        self.leave()
        # Meanwhile another session may have been opened.
        if self._studio.model.is_open and self._studio.model.outline.lane.network is network:
            self._studio.controller.set_discriminator(model)
            self._studio.notices.say(f"The session now uses the discriminator in {path.name}.")

    def _refuse(self, error: StudioError) -> None:
        self.leave()
        self._studio.notices.say(in_window(str(error)), "danger", key=REFUSED)


def _with_weights(name: str, path: Path, device: str, _task: Task) -> Network:
    from ldam_studio.networks.sources.opening import open_network

    return open_network(name, path).to(device)
