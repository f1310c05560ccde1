"""What a person may ask of the session: running it, and what it looks at."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec, unmatched
from ldam_studio.engine.run_state import RunState
from ldam_studio.gui.session.edits import Edits
from ldam_studio.gui.session.lanes import NEURONS
from ldam_studio.gui.session.model import Display
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.settings import Settings

MELT_STEPS = 60


class Controller(Edits):
    """Turns what a person does into changes of the session; the only writer of the model.

    Sessions and frames are in `SessionLink`; settings, presets and undo in `Edits`.
    """

    spread_told = pyqtSignal(str)  # which neurons of a layer are shown; empty for all of them
    melted = pyqtSignal()
    unmatched = pyqtSignal(str)  # a sentence: a further network lacks what the first one shows

    def _prepare(self, opening: Opening) -> None:
        if opening.preset is not None:
            self.apply_preset(opening.preset)
        if opening.beside is not None:
            settings = opening.beside.settings(self.model.outline.lane.settings)
            self.compare(opening.beside.network, settings=settings)

    # Running

    def play(self) -> None:
        """Run."""
        if self._runner is not None:
            self._runner.play()

    def pause(self) -> None:
        """Rest."""
        if self._runner is not None:
            self._runner.pause()

    def toggle(self) -> None:
        """Run or rest."""
        if self.model.run_state is RunState.RUNNING:
            self.pause()
        else:
            self.play()

    def step(self) -> None:
        """Take one step and rest."""
        if self._runner is not None:
            self._runner.step()
            self._request()

    def melt(self) -> None:
        """Raise the temperature a hundredfold for a while."""
        self._try(Change("melt", MELT_STEPS))
        self.melted.emit()

    def restart(self) -> None:
        """Start the chains anew from the same seed."""
        self._post_for_good(Change("restart"))

    def new_seed(self) -> None:
        """Start the chains anew from another seed."""
        self._post_for_good(Change("seed", secrets.randbelow(2**31)))

    def reset_average(self) -> None:
        """Begin the averages anew."""
        self._post_for_good(Change("reset_average"))

    # What is looked at

    def set_neurons(self, chosen: Neuron | Layer | tuple[Neuron, ...]) -> None:
        """Look at one neuron with all chains, or spread them over a layer.

        Of several lanes it is the one that is acted on, or all: further ones where they have them.
        """
        model, shown = self.model, ""
        if not model.is_open:
            return
        if isinstance(chosen, Neuron):
            neurons = (chosen,) * model.chains
        elif isinstance(chosen, tuple):
            neurons = chosen
        else:
            neurons = model.acted.network.spread(chosen.name, model.chains)
            if chosen.neurons > model.chains:
                shown = (
                    f"Of {chosen.name}'s {chosen.neurons:,} neurons the first {model.chains:,} are "
                    "shown, one for each chain; more chains show more."
                )
        self.spread_told.emit(shown)
        if self._set({NEURONS: neurons}, model.acting, text="Neurons") and model.acting is None:
            self._tell_unmatched()

    def set_network(self, network: Network) -> None:
        """Look at another network, in the lane acted on; the neurons stay where it has them.

        Raises
        ------
        StudioError
            If it takes other images than a network that it would be compared with.
        """
        self._post(Change("network", network, self.model.acting))

    def set_weights(self, twin: Network, *, restart: bool = False) -> None:
        """Let the chains go on with other weights of the network in front, or start anew."""
        self._try(Change("weights", twin), *((Change("restart"),) if restart else ()))

    def set_discriminator(self, discriminator: DiscriminatorModel | None) -> None:
        """Use another discriminator; `StudioError` if it takes other images."""
        self._post(Change("discriminator", discriminator))

    def revert_discriminator(self) -> None:
        """Forget what the discriminator learned here."""
        self._try(Change("revert_discriminator"))

    def set_front(self, index: int) -> None:
        """Bring a chain to the front."""
        self.model.set_front(index)
        self._request()

    def step_front(self, by: int) -> None:
        """Bring the chain before or after to the front, round the end."""
        self.set_front((self.model.front + by) % self.model.chains)

    def set_display(self, display: Display) -> None:
        """Display pixels in another way; also while paused."""
        self.model.set_display(display)
        self._request()

    def clamp_and_show_as_image(self) -> None:
        """Clamp pixels to what the discriminator knows, and show them as an image."""
        self.set_value("clamp", True)
        self.set_display(Display())

    # Side by side

    def compare(
        self,
        network: Network,
        *,
        settings: Settings | None = None,
        title: str = "",
        restart: bool = True,
    ) -> None:
        """Put a network beside the one in front: the same neurons, seed, noise and steps.

        One that is compared already makes room. Where it lacks a neuron, that is said.

        Parameters
        ----------
        network
            With weights of its own, or the one in front, for other settings.
        settings
            Those that it begins with; None for those of the first lane.
        title
            What it is called in the window; without one, as its name and weights say.
        restart
            Whether both start anew from the seed, or the new one from the first one's pixels.

        Raises
        ------
        StudioError
            If it takes other images; what is shown stays as it is.
        """
        if self._runner is None:
            return
        change = Change("compare", LaneSpec(network, settings=settings, restart=restart))
        self.model.outline.after(change)  # raises before anything is touched
        network.to(self.model.outline.device.name)
        self.model.call(network, title)
        self._post(change)
        self.model.set_acting(None)
        self._tell_unmatched()

    def end_comparison(self) -> None:
        """Show the first network alone again; its chains go on. Undoing it brings both back."""
        if self.model.is_comparing:
            self._post_for_good(Change("compare"))

    def act_on(self, lane: int | None) -> None:
        """Let settings and neurons be those of one lane, or of all (None)."""
        if self.model.is_comparing:
            self.model.set_acting(lane)

    def _tell_unmatched(self) -> None:
        first, *others = self.model.outline.lanes
        said = [unmatched(lane.network, first.neurons, lane.neurons) for lane in others]
        if said:
            self.unmatched.emit(next(filter(None, said), ""))
