"""Turns what a person does into changes of the session; the only writer of the model."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.comparison import (
    LaneSpec,
    check_alike,
    check_count,
    matched,
    matched_or_kept,
    unmatched,
)
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.session.lanes import SECOND, LaneView, largest
from ldam_studio.gui.session.link import SessionLink
from ldam_studio.gui.session.model import Display, Model
from ldam_studio.gui.session.undo import MOMENT, NEURONS, Undo
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.presets import Preset
    from ldam_studio.sampler.settings import Settings

MELT_STEPS = 60
FOR_GOOD = {
    "restart": "Restart",
    "seed": "New Seed",
    "reset_average": "Reset Average",
    "compare": "End Comparison",
}
"""What destroys chains or averages, and what it is called in the Edit menu."""


class Controller(SessionLink):
    """What a person may ask for; the only writer of the model beside the link to the session."""

    spread_told = pyqtSignal(str)  # which neurons of a layer are shown; empty for all of them
    melted = pyqtSignal()
    unmatched = pyqtSignal(str)  # a sentence: the second network lacks what the first one shows
    raised_unclamped = pyqtSignal()  # the discriminator's weight went up while pixels are free

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(model, parent)
        self.undo_stack = Undo()

    def _prepare(self, opening: Opening) -> None:
        session = self.model.session
        if opening.preset is not None:
            self.apply_preset(opening.preset)
        if opening.beside is not None and session is not None:
            settings = opening.beside.settings(session.settings)
            self.compare(opening.beside.network, settings=settings)

    def _leave(self) -> None:
        self.undo_stack.clear()
        super()._leave()

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
        self._post("melt", MELT_STEPS)
        self.melted.emit()

    def restart(self) -> None:
        """Start the chains anew from the same seed."""
        self._post_for_good("restart")

    def new_seed(self) -> None:
        """Start the chains anew from another seed."""
        if self.model.session is not None:
            self._post_for_good("seed", secrets.randbelow(2**31))

    def reset_average(self) -> None:
        """Begin the averages anew."""
        self._post_for_good("reset_average")

    def _post_for_good(self, name: str, value: Any = None) -> None:
        """Ask for what destroys chains or averages; undoing it goes back to this moment."""
        runner = self._runner
        if runner is None:
            return
        before = runner.ask(snapshot)
        self.undo_stack.note_moment(before, (name, value), FOR_GOOD[name])
        self._posts += 1
        runner.post(name, value)
        self._show_seed(name, value)
        self._request()

    def _show_seed(self, name: str, value: Any) -> None:
        if name == "seed" and self.model.session is not None:
            self.model.set_session(replace(self.model.session, seed=value), "seed")

    def _return_to(self, moment: Future[SessionState]) -> None:
        runner = self._runner
        if runner is not None:
            self._posts += 1
            runner.return_to(moment)
            self._read_back()
            self._request()

    # Settings

    def set_value(self, name: str, value: Any) -> None:
        """Change a setting by its name; an impossible value is said and changes nothing."""
        self.set_values({name: value})

    def set_values(self, values: Mapping[str, Any], *, note: bool = True, text: str = "") -> None:
        """Change settings together: one thing to undo. Impossible values change none of them.

        Parameters
        ----------
        note
            Whether it can be undone.
        text
            What it is called in the Edit menu; without one it is named after the setting.
        """
        session = self.model.session
        if session is None:
            return
        changed, lane = session, self.model.acting
        parts = {name: session.parts(name, value, lane) for name, value in values.items()}
        try:
            for name, several in parts.items():
                for value, number in several:
                    changed = changed.with_value(name, value, number)
        except StudioError as error:
            self.said.emit(str(error), "warning")
            return
        # The number of chains is the engine's to know; see `SessionView.with_value`.
        after = {n: v if n == "chains" else changed.value_of_each(n) for n, v in values.items()}
        before = {name: session.value_of_each(name) for name in values}
        after = {name: value for name, value in after.items() if value != before[name]}
        if not after:
            return
        if note:
            self.undo_stack.note({name: before[name] for name in after}, after, text)
        self._held = self._held or "chains" in after
        self.model.set_session(changed, *after)
        for name in after:
            for value, number in parts[name]:
                known = name == "chains"
                own = value if known else changed.seen_from(number).value(name)
                self._post(name, own, number)
        weight = "discriminator_weight"
        clamped = changed.seen_from(lane).settings.clamp
        if weight in after and not clamped and largest(after[weight]) > largest(before[weight]):
            self.raised_unclamped.emit()

    def apply_preset(self, preset: Preset) -> None:
        """Set what a preset means for the session in front."""
        if self.model.acted is not None:
            self.set_values(self.model.acted.values_of(preset), text=f"Preset {preset.label}")

    def undo(self) -> None:
        """Take the last change of settings back."""
        found = self.undo_stack.undo()
        if found is not None and MOMENT in found:
            self._return_to(found[MOMENT])
        elif found is not None:
            self._set_again(found)

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        found = self.undo_stack.redo()
        if found is not None and MOMENT in found:
            name, value = found[MOMENT]
            self._show_seed(name, value)
            if name == "compare":
                self._show_alone()
            self._post(name, value)
        elif found is not None:
            self._set_again(found)

    def _set_again(self, values: dict[str, Any]) -> None:
        if NEURONS not in values:
            self.set_values(values, note=False)
            return
        neurons, lane = values[NEURONS]
        self._look_at(neurons, lane)

    def clamp_and_show_as_image(self) -> None:
        """Do what is offered to who turns the discriminator up."""
        self.set_value("clamp", True)
        self.set_display(Display())

    # What is looked at

    def set_neurons(self, chosen: Neuron | Layer | tuple[Neuron, ...]) -> None:
        """Look at one neuron with all chains, or spread them over a layer.

        Of two lanes it is the one that is acted on, or both: the second one where it has them.
        """
        session, lane, acted = self.model.session, self.model.acting, self.model.acted
        if session is None or acted is None:
            return
        chains, shown = len(session.neurons), ""
        if isinstance(chosen, Neuron):
            neurons = (chosen,) * chains
        elif isinstance(chosen, tuple):
            neurons = chosen
        else:
            neurons = acted.network.spread(chosen.name, chains)
            if chosen.neurons > chains:
                shown = (
                    f"Of {chosen.name}'s {chosen.neurons:,} neurons the first {chains:,} are "
                    "shown, one for each chain; more chains show more."
                )
        self.spread_told.emit(shown)
        if lane is not None:
            try:
                check_count(neurons, chains)
            except StudioError as error:
                self.said.emit(str(error), "warning")
                return
        before = acted.neurons
        if self._look_at(neurons, lane):
            self.undo_stack.note({NEURONS: (before, lane)}, {NEURONS: (neurons, lane)})

    def _look_at(self, neurons: tuple[Neuron, ...], lane: int | None) -> bool:
        """Turn the chains of a lane, or of both, to neurons; returns whether that is a change."""
        session = self.model.session
        if session is None:
            return False
        second = session.second
        if lane is None and second is not None:
            second = _followed(second, neurons)
        if lane == SECOND and second is not None:
            second = replace(second, neurons=neurons)
        else:
            settings = session.settings.for_chains(len(neurons))
            session = replace(session, neurons=neurons, settings=settings)
        session = replace(session, second=second)
        if session == self.model.session:
            return False
        self.model.set_session(session)
        self._post("neurons", neurons, lane)
        if lane is None:
            self._tell_unmatched()
        return True

    def set_network(self, network: Network) -> None:
        """Look at another network, in the lane acted on; the neurons stay where it has them.

        Raises
        ------
        StudioError
            If it takes other images than the network that it would be compared with.
        """
        session, acted = self.model.session, self.model.acted
        if session is None or acted is None:
            return
        neurons = matched(network, acted.neurons) or network.default_neurons(len(acted.neurons))
        second, lane = session.second, SECOND if self.model.acting == SECOND else None
        if second is not None:
            check_alike(session.network if lane == SECOND else second.network, network)
        if second is not None and lane == SECOND:
            second = replace(second, network=network, neurons=neurons, title="")
        else:
            session = replace(session, network=network, neurons=neurons)
        self.model.set_session(replace(session, second=second))
        self._post("network", network, lane)

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
            Whether both start anew from the seed, or the second one from the first one's pixels.

        Raises
        ------
        StudioError
            If it takes other images; what is shown stays as it is.
        """
        session = self.model.session
        if session is None:
            return
        check_alike(session.network, network)
        network.to(session.device.name)
        neurons = matched(network, session.neurons)
        neurons = neurons or network.default_neurons(len(session.neurons))
        second = LaneView(network, neurons, settings or session.settings, title)
        self.model.set_session(replace(session, second=second))
        self.model.set_acting(None)
        self._post("compare", LaneSpec(network, settings=settings, restart=restart))
        self._tell_unmatched()

    def end_comparison(self) -> None:
        """Show the first network alone again; its chains go on. Undoing it brings both back."""
        session = self.model.session
        if session is not None and session.second is not None:
            self._show_alone()
            self._post_for_good("compare")

    def _show_alone(self) -> None:
        if self.model.session is not None:
            self.model.set_session(replace(self.model.session, second=None))

    def act_on(self, lane: int | None) -> None:
        """Let settings and neurons be those of one lane, or of both (None)."""
        if self.model.session is not None and self.model.session.second is not None:
            self.model.set_acting(lane)

    def _tell_unmatched(self) -> None:
        session = self.model.session
        if session is not None and session.second is not None:
            second = session.second
            sentence = unmatched(second.network, session.neurons, second.neurons)
            self.unmatched.emit(sentence)

    def set_weights(self, twin: Network, *, restart: bool = False) -> None:
        """Let the chains go on with other weights of the network in front, or start anew."""
        self.model.set_weights(twin)
        self._post("weights", twin)
        if restart:
            self._post("restart")

    def set_discriminator(self, discriminator: DiscriminatorModel | None) -> None:
        """Use another discriminator."""
        session = self.model.session
        if session is not None:
            self.model.set_session(
                replace(session, has_discriminator=discriminator is not None), "discriminator"
            )
            self._post("discriminator", discriminator)

    def revert_discriminator(self) -> None:
        """Forget what the discriminator learned here."""
        self._post("revert_discriminator")

    def set_front(self, index: int) -> None:
        """Bring a chain to the front."""
        self.model.set_front(index)
        self._request()

    def step_front(self, by: int) -> None:
        """Bring the chain before or after to the front, round the end."""
        if self.model.session is not None:
            self.set_front((self.model.front + by) % len(self.model.session.neurons))

    def set_display(self, display: Display) -> None:
        """Display pixels in another way; also while paused."""
        self.model.set_display(display)
        self._request()


def _followed(second: LaneView, neurons: tuple[Neuron, ...]) -> LaneView:
    """Return the second lane after both were turned to other neurons, as the engine turns it."""
    settings = second.settings.for_chains(len(neurons))
    shown = matched_or_kept(second.network, neurons, second.neurons)
    return replace(second, neurons=shown, settings=settings)
