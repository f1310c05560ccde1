"""Everything that the user can ask of a session: running, neurons, networks, comparisons."""

from __future__ import annotations

import math
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec, unmatched
from ldam_studio.engine.discriminator import learning_from
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.state import MELT_HEAT
from ldam_studio.engine.suiting import in_words
from ldam_studio.gui.session.edits import RUN_SCHEDULE
from ldam_studio.gui.session.lanes import NEURONS
from ldam_studio.gui.session.link import Moment
from ldam_studio.gui.session.model import IMAGE, Display
from ldam_studio.gui.session.schedule_edits import ScheduleEdits
from ldam_studio.sampler.schedule import has_schedule

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.photo_statistics import Measured
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.anatomy.objectives import Place
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.settings import Settings

MOST_VALUES = 64 * 28 * 28
"""Values in the images of all chains that are started for a whole layer: 64 digits, or 16 images of
CIFAR-10's size. More would make a step long."""
FEW = 4
"""Chains that are started for a whole layer, however large the images."""


class Controller(ScheduleEdits):
    """Turns what the user does into changes of the session; only it writes to the model.

    The base classes provide the rest: `SessionLink` opens sessions and fetches frames, `Edits`
    makes and undoes changes, `SettingEdits` changes settings, `ScheduleEdits` starts and stops
    schedules.
    """

    spread_told = pyqtSignal(str)  # which neurons of a layer are shown; empty if all are
    melted = pyqtSignal()
    unmatched = pyqtSignal(str)  # which neurons a further network lacks; empty if none

    def _prepare(self, opening: Opening) -> None:
        if opening.preset is not None:
            self.apply_preset(opening.preset)
        if opening.beside is not None:
            settings = opening.beside.settings(self.model.outline.lane.settings)
            self.compare(opening.beside.network, settings=settings)

    # Running

    def play(self) -> None:
        """Run the sampler."""
        if self._runner is not None:
            self._runner.play()

    def pause(self) -> None:
        """Pause the sampler."""
        if self._runner is not None:
            self._runner.pause()

    def toggle(self) -> None:
        """Run the sampler, or pause it if it runs."""
        if self.model.run_state is RunState.RUNNING:
            self.pause()
        else:
            self.play()

    def step(self) -> None:
        """Take one step, then pause."""
        if self._runner is not None:
            self._runner.step()
            self._request()

    def melt(self) -> None:
        """Heat the chains until their images have dissolved; the sampler then cools them."""
        self.make(Change("heat", MELT_HEAT), "Melt")
        self.melted.emit()

    def restart(self) -> None:
        """Restart the chains from the same seed."""
        self.make(Change("restart"), "Restart")

    def new_seed(self) -> None:
        """Restart the chains from a random seed."""
        self.make(Change("seed", secrets.randbelow(2**31)), "New Seed")

    def reset_average(self) -> None:
        """Discard all samples of the averages."""
        self.make(Change("reset_average"), "Reset Average")

    # What is shown

    def set_neurons(self, chosen: Neuron | tuple[Neuron, ...]) -> None:
        """Show one neuron with all chains, or one given neuron per chain.

        This changes the lane that is acted on, or all lanes; a further lane keeps neurons that its
        network lacks as they were. Settings that do not suit the neurons are suited to them, which
        is undone together with the choice.
        """
        self.spread_told.emit("")
        self._show(chosen if isinstance(chosen, tuple) else (chosen,) * self.model.chains)

    def spread(self, layer: Layer, place: Place = None) -> None:
        """Show the neurons of a layer, one per chain, with as many chains as there are neurons.

        Of a large layer the first ones are shown, as many as `MOST_VALUES` allows. The number of
        chains stays as it is for one of several compared networks, and where chains form a table.

        Parameters
        ----------
        place
            The place of each neuron in its channel; None for the usual one.
        """
        model = self.model
        count = model.chains
        if not model.rows and not (model.is_comparing and model.acting is not None):
            values = math.prod(model.acted.network.pixels.shape)
            count = min(layer.neurons, max(count, FEW, MOST_VALUES // values))
        told = ""
        if layer.neurons > count:
            first = "first one is" if count == 1 else f"first {count:,} are"
            told = (
                f"{layer.name} has {layer.neurons:,} neurons; the {first} shown, one per chain. "
                "More chains show more of them."
            )
        self.spread_told.emit(told)
        shown = model.acted.network.spread(layer.name, count)
        self._show(tuple(replace(neuron, place=place) for neuron in shown))

    def _show(self, neurons: tuple[Neuron, ...]) -> None:
        suited = self._turning_to(neurons)
        if not self._set({NEURONS: neurons, **suited}, self.model.acting, text="Neurons"):
            return
        self.suited.emit(in_words(suited, neurons[0].layer))
        if self.model.acting is None:
            self._tell_unmatched()

    def set_network(self, network: Network) -> None:
        """Show another network in the lane that is acted on; neurons that it has, too, are kept.

        Raises
        ------
        StudioError
            If its images differ in size from those of a network that it is compared with.
        """
        self.make_or_raise(Change("network", network, self.model.acting), "Network")

    def set_weights(self, twin: Network, *, restart: bool = False) -> None:
        """Use other weights of the current network; the chains continue, or restart."""
        self._try(Change("weights", twin), *((Change("restart"),) if restart else ()))

    def use_statistics(self, measured: Measured) -> None:
        """Use photo statistics that were measured, and run the schedule again if there is one."""
        self.make(Change("statistics", measured), "Photo Statistics")
        if any(has_schedule(lane.settings) for lane in self.model.outline.lanes):
            self._try(Change(RUN_SCHEDULE))

    def set_discriminator(self, discriminator: DiscriminatorModel | None) -> None:
        """Use another discriminator, or none; raises `StudioError` if its images differ."""
        self.make_or_raise(Change("discriminator", discriminator), "Discriminator")

    def use_real_images(self, data: Path) -> None:
        """Let the discriminator, which has not learned yet, learn from real images in a folder."""
        if self._runner is not None:
            state = self._runner.ask(partial(learning_from, data=data))
            self._return_to(Moment(state, replace(self.model.outline, data=data)))

    def revert_discriminator(self) -> None:
        """Discard what the discriminator has learned in this session."""
        self.make(Change("revert_discriminator"), "Revert Discriminator")

    def set_front(self, index: int) -> None:
        """Make the chain with this index the front chain."""
        self.model.set_front(index)
        self._request()

    def step_front(self, by: int) -> None:
        """Make the chain `by` places further on the front chain; after the last comes the first."""
        self.set_front((self.model.front + by) % self.model.chains)

    def set_display(self, display: Display) -> None:
        """Change how pixels become colours; this also works while the sampler is paused."""
        self.model.set_display(display)
        self._request()

    def clamp_and_show_as_image(self) -> None:
        """Clamp pixels to the range between black and white, and show them as an image."""
        self.set_value("clamp", True)
        self.set_display(replace(self.model.display, mode=IMAGE, scale=None))

    # Side by side

    def compare(
        self,
        network: Network,
        *,
        settings: Settings | None = None,
        title: str = "",
        restart: bool = True,
    ) -> None:
        """Compare a network with the current one: the same neurons, seed, noise and steps.

        It replaces a network that is already compared. `unmatched` reports the neurons that it
        lacks.

        Parameters
        ----------
        network
            Another network, or the current one to compare two settings.
        settings
            Its initial settings; None for those of the first lane.
        title
            Its name in the window; empty for the network's name and weights.
        restart
            Whether the chains of both restart from the seed; otherwise those of the new network
            start from the pixels of the first.

        Raises
        ------
        StudioError
            If its images differ in size; nothing is changed then.
        """
        if self._runner is None:
            return
        change = Change("compare", LaneSpec(network, settings=settings, restart=restart))
        self.model.outline.after(change)  # raises before anything is touched
        network.to(self.model.outline.device.name)
        self.model.call(network, title)
        self.make_or_raise(change, "Compare")
        self.model.set_acting(None)
        self._tell_unmatched()

    def end_comparison(self) -> None:
        """Remove all networks but the first, whose chains continue. This can be undone."""
        if self.model.is_comparing:
            self.make(Change("compare"), "End Comparison")

    def act_on(self, lane: int | None) -> None:
        """Choose the lane whose settings and neurons the user changes; None for all lanes."""
        if self.model.is_comparing:
            self.model.set_acting(lane)

    def _tell_unmatched(self) -> None:
        first, *others = self.model.outline.lanes
        said = [unmatched(lane.network, first.neurons, lane.neurons) for lane in others]
        if said:
            self.unmatched.emit(next(filter(None, said), ""))
