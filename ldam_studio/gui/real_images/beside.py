"""Follows the neuron in front: looks up its real images, and where the drawn image lies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from PyQt6.QtCore import QObject, QTimer

from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images.nearest import layers_for
from ldam_studio.explore.real_images.pictures import check_channels
from ldam_studio.explore.real_images.sources import found_for, words_of
from ldam_studio.explore.real_images.standing import (
    AVERAGE,
    RAW,
    drawn_values,
    report_words,
    standing,
)
from ldam_studio.gui.real_images.chosen import Choice, Chosen
from ldam_studio.gui.real_images.found import Found, look_up
from ldam_studio.gui.real_images.panel import EMPTY
from ldam_studio.gui.real_images.showing import BUILD, Showing
from ldam_studio.gui.stragglers import wait_for
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.explore.real_images.evidence import Evidence
    from ldam_studio.explore.real_images.index import Example, Index
    from ldam_studio.explore.real_images.naming import Namer
    from ldam_studio.gui.real_images.index_dialog import IndexDialog
    from ldam_studio.gui.real_images.panel import RealImagesPanel
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron

EVERY_MS = 1000  # between two looks at the drawn image
SOON_MS = 30  # so that several signals of one change lead to one look
LOOK, READ = "real-images-look", "real-images-drawn"  # names of the threads
INDEX_LAYER = "Index This Layer"
ONE_PLACE = (
    "A real image counts with the place at which the channel responds most, the drawn one with the "
    "place for which it is drawn."
)


class Beside(QObject):
    """Connects the panel to the neuron in front; works only while the panel is visible.

    Images that are being shown to a network go on being shown when it is hidden.
    """

    def __init__(self, studio: Studio, panel: RealImagesPanel, chosen: Chosen) -> None:
        super().__init__(studio.places.root)
        self._studio, self._panel = studio, panel
        self.showing = Showing(chosen, self)
        self._looking: Task | None = None
        self._reading: Task | None = None
        self._index: tuple[Network, Choice, Index] | None = None
        self._evidence: Evidence | None = None
        self._read: Frame | None = None  # the frame whose images were looked at last
        self._left = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._look)
        self._clock = QTimer(self)
        self._clock.setInterval(EVERY_MS)
        self._clock.timeout.connect(self._read_drawn)
        self._connect()

    def _connect(self) -> None:
        model, panel = self._studio.model, self._panel
        for signal in (
            model.weights_changed,
            model.neurons_changed,
            model.front_changed,
            model.comparison_changed,
            model.acting_changed,
        ):
            signal.connect(self._soon_look)
        model.on_session(self._soon_look)
        panel.shown.connect(self._wake)
        panel.hidden.connect(self._rest)
        panel.index_asked.connect(self.ask)
        panel.offer_taken.connect(self._index_layer)
        panel.cancel_asked.connect(self.showing.cancel)
        panel.example_chosen.connect(self._enlarge)
        self.showing.began.connect(self._begin)
        self.showing.staged.connect(panel.show_stage)
        self.showing.failed.connect(lambda text: panel.show_sentence(text, role="danger"))
        self.showing.changed.connect(self._changed)

    def leave(self) -> None:
        """Abandon all work; what was measured is kept."""
        self._left = True
        self._rest()
        self.showing.leave()

    def wait(self) -> None:
        """Wait until the work that was abandoned has ended."""
        for name in (BUILD, LOOK, READ):
            wait_for(name)

    # Choosing images

    def ask(self) -> IndexDialog | None:
        """Show the dialog without blocking the window, and return it."""
        from ldam_studio.gui.real_images.index_dialog import IndexDialog

        here = self._here()
        if here is None:
            return None
        network, neuron = here
        choice = self.showing.chosen.of(network)
        dialog = IndexDialog(
            network,
            network.layer(neuron.layer).name,
            found_for(network.pixels, self._studio.data),
            None if choice is None else choice.spec,
            self._studio.places.root,
        )
        dialog.accepted.connect(partial(self._accept, network, dialog))
        dialog.open()
        return dialog

    def _accept(self, network: Network, dialog: IndexDialog) -> None:
        if dialog.spec is not None:
            choice = Choice(dialog.spec, dialog.limit)
            self.showing.chosen.choose(network, choice)
            self.showing.build(network, choice, dialog.layers)

    def _index_layer(self) -> None:
        """Show the images to the layer of the neuron in front."""
        here = self._here()
        choice = None if here is None else self.showing.choice(here[0])
        if here is not None and choice is not None:
            self.showing.build(here[0], choice, layers_for(here[0], here[1].layer))

    def _begin(self, what: str) -> None:
        """Say that images are being shown; what is being looked up is no longer needed."""
        self._soon.stop()
        self._leave_looks()
        self._panel.show_waiting(what)

    def _changed(self) -> None:
        """Look again: an index may have more images, or fewer."""
        self._index = None
        self._soon_look()

    def namer(self) -> Namer | None:
        """Return what names the nearest real images of the network that is acted on."""
        here = self._here()
        return None if here is None else self.showing.namer(here[0])

    # Looking

    def _here(self) -> tuple[Network, Neuron] | None:
        """Return the network that is acted on and the neuron in front; None without a session."""
        model = self._studio.model
        if not model.is_open:
            return None
        lane = model.acted
        return lane.network, lane.neurons[min(model.front, len(lane.neurons) - 1)]

    def _wake(self) -> None:
        if not self._left:
            self._clock.start()
            self._look()

    def _rest(self) -> None:
        self._clock.stop()
        self._soon.stop()
        self._leave_looks()

    def _leave_looks(self) -> None:
        for task in (self._looking, self._reading):
            if task is not None:
                task.leave()
        self._looking = self._reading = None

    def _soon_look(self) -> None:
        if self._panel.isVisible() and not self._left:
            self._soon.start()

    def _look(self) -> None:
        """Look up the real images of the neuron in front."""
        here = self._here()
        if here is None or not self._panel.isVisible():
            return
        self._leave_looks()
        network, neuron = here
        if self.showing.network is not None:
            if self.showing.network.module is not network.module:
                self._panel.show_sentence(
                    "Images are being shown to another network; its neurons have them soon."
                )
            return
        choice = self.showing.choice(network)
        try:
            check_channels(short_name(network.name), network.pixels)
        except StudioError as error:
            self._panel.show_sentence(str(error))
            return
        if choice is None:
            self._panel.show_sentence(EMPTY)
            return
        known = self._index
        index = known[2] if known and known[0] is network and known[1] == choice else None
        self._looking = Task(lambda _task: look_up(network, choice, neuron, index))
        self._looking.setObjectName(LOOK)
        self._looking.done.connect(partial(self._show, network, choice, neuron))
        self._looking.failed.connect(self._refuse)
        self._looking.start()

    def _refuse(self, error: StudioError) -> None:
        self._looking = None
        self._evidence = None
        self._panel.show_sentence(str(error), INDEX_LAYER, role="danger")

    def _show(self, network: Network, choice: Choice, neuron: Neuron, found: Found) -> None:
        self._looking, self._evidence, self._read = None, found.evidence, None
        self._index = None if found.index is None else (network, choice, found.index)
        if found.evidence is None or found.index is None:
            self._offer(network, choice, neuron, found)
            return
        report, catalogue = found.index.report, found.index.catalogue
        words = words_of(choice.spec)
        said = report_words(report, len(catalogue.names)) or "All of them could be read."
        count = f"{len(found.evidence.responses):,} image" + "s" * (len(catalogue.names) != 1)
        tip = f"{count} of {words}.\n{said}\nClick for others."
        self._panel.range.show_drawn({})
        self._panel.show_evidence(found.evidence, f"{count} ▾", tip)
        self._panel.show_words(standing({}, found.evidence.responses))
        self._read_drawn()

    def _offer(self, network: Network, choice: Choice, neuron: Neuron, found: Found) -> None:
        """Say that the layer has not been indexed, or index shipped digits at once."""
        if found.index is not None and found.index.has(network.layer(neuron.layer).name):
            self._panel.show_sentence(f"No real image gives {neuron} a finite value.")
        elif self.showing.begins_by_itself(network, choice):
            self.showing.build(network, choice, layers_for(network, neuron.layer))
        else:
            self._panel.show_sentence(
                f"The layer {neuron.layer} has not been shown {words_of(choice.spec)} with these "
                "weights yet.",
                INDEX_LAYER,
            )

    # The drawn image

    def _read_drawn(self) -> None:
        """Pass the images of the last frame through the network, if they are new."""
        frame, evidence, index = self._studio.frames.last, self._evidence, self._index
        if frame is None or evidence is None or index is None or self._reading is not None:
            return
        if frame is self._read or not self._panel.shows_evidence:
            return
        lane = self._studio.model.acted_frame(frame)
        if lane.neurons[lane.front] != evidence.neuron:
            return
        self._read = frame
        images = {RAW: torch.from_numpy(np.array(lane.raw))}
        if lane.average is not None:
            images[AVERAGE] = torch.from_numpy(np.array(lane.average))
        network = index[2].network
        task = Task(lambda _task: drawn_values(network, evidence.neuron, images))
        task.setObjectName(READ)
        task.done.connect(partial(self._show_drawn, evidence))
        task.failed.connect(self._fail_drawn)
        self._reading = task
        task.start()

    def _show_drawn(self, evidence: Evidence, values: dict[str, float]) -> None:
        self._reading = None
        if evidence is self._evidence:
            self._panel.range.show_drawn(values)
            tip = "" if evidence.responses.places is None else ONE_PLACE
            self._panel.show_words(standing(values, evidence.responses), tip)

    def _fail_drawn(self, error: StudioError) -> None:
        self._reading = None
        self._panel.show_words(str(error))

    def _enlarge(self, example: Example) -> None:
        from ldam_studio.gui.real_images.picture_dialog import PictureDialog

        if self._evidence is not None:
            label = str(self._evidence.neuron)
            PictureDialog(self._evidence, example, label, self._studio.places.root).open()
