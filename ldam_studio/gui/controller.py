"""Turns what a person does into changes of the session; the only writer of the model."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.frame import Frame, FrameRequest
from ldam_studio.engine.runner import Runner, RunState
from ldam_studio.engine.second import (
    Second,
    check_alike,
    check_count,
    matched,
    matched_or_kept,
    unmatched,
)
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.engine.unseen import look_back
from ldam_studio.errors import StudioError
from ldam_studio.gui.lanes import SECOND, LaneView, largest
from ldam_studio.gui.learning import LEARNING, LearningNeeds
from ldam_studio.gui.model import Display, Model, SessionView
from ldam_studio.gui.thread import STRAGGLERS, SamplerThread
from ldam_studio.gui.undo import MOMENT, Undo
from ldam_studio.memory import give_back
from ldam_studio.networks.network import Neuron
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.gui.sessions import Opening
    from ldam_studio.networks.layers import Layer
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.zoo import DiscriminatorModel
    from ldam_studio.sampler.presets import Preset
    from ldam_studio.sampler.settings import Settings

MELT_STEPS = 60
RESTING_S = 0.25  # between two looks at a session that rests
LEFT_S = 60  # for the step under way in a session that was left
LEAVE_MS = 500  # with what saving may take, closing stays within a second


class Controller(QObject):
    """Owns the sampler's thread, the inbox's far end, and the model."""

    opening = pyqtSignal(object)  # Opening
    opened = pyqtSignal(object)  # Opening
    said = pyqtSignal(str, str)  # sentence, kind: info, warning, danger
    spread_told = pyqtSignal(str)  # which neurons of a layer are shown; empty for all of them
    melted = pyqtSignal()
    _read = pyqtSignal(int, int, object)  # number of session and of posts, SessionView
    unmatched = pyqtSignal(str)  # a sentence: the second network lacks what the first one shows
    raised_unclamped = pyqtSignal()  # the discriminator's weight went up while pixels are free

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.undo_stack = Undo()
        self._numbers = 0
        self._threads: list[SamplerThread] = []
        self._runner: Runner | None = None
        self._current: Opening | None = None
        self.way_back: Opening | None = None  # to the session that was left for this one
        self._asked_at = 0.0
        self._posts = 0
        self._read.connect(self._on_read)
        self._comparisons = 0  # begun and ended
        self._needs = LearningNeeds(self)
        self._needs.met.connect(self._on_needs_met)
        self._lessons: dict[str, int] = {}  # settings that wait for what learning needs
        self._held = False  # whether the neurons of a new number of chains are still to come

    # Sessions

    def open(self, opening: Opening) -> None:
        """Leave the session that runs, and open another on a thread of its own."""
        self.way_back = self._way_back()
        self._leave()
        self._numbers += 1
        self._current = opening
        thread = SamplerThread(self._numbers, opening.make)
        thread.opened.connect(self._on_opened)
        thread.state_changed.connect(self._on_state)
        thread.failed.connect(self._on_failed)
        thread.finished.connect(partial(self._on_finished, thread))
        self._threads.append(thread)
        self.opening.emit(opening)
        thread.start()

    def _way_back(self) -> Opening | None:
        """Return how to go on with the session that is about to be left."""
        runner, session, current = self._runner, self.model.session, self._current
        if runner is None or session is None or current is None:
            return None

        def make() -> SessionState:
            state = snapshot(runner.left.result(LEFT_S))
            look_back(state)
            return state

        return replace(
            current,
            title=self.model.title,
            make=make,
            display=self.model.display,
            rows=self.model.rows,
            front=self.model.front,
            note="",
            max_rate=session.max_rate,
            fallback=None,
            preset=None,
            published=(),
            second_title=self.model.second_title,
            watched=None,
        )

    @property
    def runner(self) -> Runner | None:
        """The runner of the session in front; None while one opens."""
        return self._runner

    def ask(self, question: Callable[[SessionState], Any]) -> Future[Any] | None:
        """Have a question answered on the sampler's thread; None without a session."""
        return None if self._runner is None else self._runner.ask(question)

    def close(self) -> bool:
        """Stop every thread and wait for it; returns whether all have ended."""
        self._leave()
        self._needs.leave()
        late = [thread for thread in self._threads if not thread.wait(LEAVE_MS)]
        self._threads.clear()
        STRAGGLERS.extend(late)
        return not late

    def _leave(self) -> None:
        self._runner = None
        self._lessons.clear()
        self.undo_stack.clear()
        for thread in self._threads:
            thread.leave()

    def _is_current(self, number: int) -> bool:
        return number == self._numbers and bool(self._threads)

    def _on_opened(self, number: int, runner: Runner, view: SessionView) -> None:
        if not self._is_current(number) or self._current is None:
            return
        opening = self._current
        self._runner = runner
        if opening.max_rate:
            view = replace(view, max_rate=opening.max_rate)
            runner.post("max_rate", opening.max_rate)
        if view.second is not None:
            view = replace(view, second=replace(view.second, title=opening.second_title))
        self.model.set_display(opening.display)
        self.model.adopt(view, opening.title, opening.rows, opening.front)
        if opening.preset is not None:
            self.apply_preset(opening.preset)
        if opening.beside is not None:
            settings = opening.beside.settings(view.settings)
            self.compare(opening.beside.network, settings=settings)
        self.opened.emit(opening)
        self._request()
        runner.play()

    def _on_state(self, number: int, state: RunState) -> None:
        if self._is_current(number):
            self.model.set_run_state(state)

    def _on_failed(self, number: int, sentence: str) -> None:
        if not self._is_current(number):
            return
        current = self._current
        if self._runner is None and current is not None and current.fallback is not None:
            self.open(replace(current.fallback, preset=current.preset))
        self.said.emit(sentence, "danger")

    def _on_finished(self, thread: SamplerThread) -> None:
        if thread in self._threads:
            self._threads.remove(thread)
            thread.deleteLater()
            # What the session held is free by now. It may take tens of milliseconds to hand over.
            threading.Thread(target=give_back, name="give-back").start()

    # Frames

    def take_frame(self) -> Frame | None:
        """Return the latest frame of the front chain, if there is one, and ask for the next."""
        if self._runner is None:
            return None
        frame = self._runner.mailbox.take()
        running = self.model.run_state is RunState.RUNNING
        # A session that rests looks the same until something is changed, which asks by itself.
        if (frame is not None and running) or time.monotonic() - self._asked_at > RESTING_S:
            self._request()
        if frame is None:
            return None
        self._follow(frame)
        if frame.notices:
            self._read_back()
        # One that was asked for before another chain came to the front would flash by.
        return frame if frame.front == self.model.front else None

    def _request(self) -> None:
        if self._runner is not None:
            display = self.model.display
            self._asked_at = time.monotonic()
            self._runner.request_frame(FrameRequest(self.model.front, display.mode, display.scale))

    def _follow(self, frame: Frame) -> None:
        """Take over the neurons that the engine chose, as after a change of the chains' number."""
        session = self.model.session
        if session is not None and frame.neurons != session.neurons and self._held:
            self._held = False
            chains, second = len(frame.neurons), session.second
            if second is not None and frame.second is not None:
                settings = second.settings.for_chains(chains)
                second = replace(second, neurons=frame.second.neurons, settings=settings)
            settings = session.settings.for_chains(chains)
            self.model.set_session(
                replace(session, neurons=frame.neurons, settings=settings, second=second), "chains"
            )

    def _read_back(self) -> None:
        """Ask how the session is set: a change may have been refused."""
        if self._runner is None:
            return
        number, posts = self._numbers, self._posts

        def tell(future: Future[SessionView]) -> None:
            if not future.cancelled() and future.exception() is None:
                self._read.emit(number, posts, future.result())

        self._runner.ask(SessionView.of).add_done_callback(tell)

    def _on_read(self, number: int, posts: int, view: SessionView) -> None:
        session = self.model.session
        if not self._is_current(number) or session is None:
            return
        if posts != self._posts:
            # Something was changed meanwhile, which this answer does not know of.
            self._read_back()
            return
        second = view.second
        if second is not None and session.second is not None:
            second = replace(second, title=session.second.title)
        view = replace(view, max_rate=session.max_rate, second=second, **self._lessons)
        changed = [n for n in SETTINGS if view.value_of_each(n) != session.value_of_each(n)]
        self.model.set_session(view, *changed)

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
        self.undo_stack.note_moment(before, (name, value))
        self._posts += 1
        comparison = self._comparisons

        def go_on(done: Future[SessionState]) -> None:
            # A comparison that was begun meanwhile has taken the place of the one that is ended.
            late = name == "compare" and comparison != self._comparisons
            if not done.cancelled() and not late:
                runner.post(name, value)

        # Posted only then, for what is posted is done before a question is answered.
        before.add_done_callback(go_on)
        self._show_seed(name, value)
        self._request()

    def _show_seed(self, name: str, value: Any) -> None:
        if name == "seed" and self.model.session is not None:
            self.model.set_session(replace(self.model.session, seed=value), "seed")

    def _return_to(self, moment: Future[SessionState]) -> None:
        runner = self._runner
        if runner is not None and not moment.cancelled():
            self._posts += 1
            moment.add_done_callback(lambda done: runner.return_to(done.result()))
            self._read_back()
            self._request()

    # Settings

    def set_value(self, name: str, value: Any) -> None:
        """Change a setting by its name; an impossible value is said and changes nothing."""
        self.set_values({name: value})

    def set_values(self, values: Mapping[str, Any], *, note: bool = True) -> None:
        """Change settings together: one thing to undo. Impossible values change none of them."""
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
            self.undo_stack.note({name: before[name] for name in after}, after)
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
            self.set_values(self.model.acted.values_of(preset))

    def undo(self) -> None:
        """Take the last change of settings back."""
        found = self.undo_stack.undo()
        if found is not None and MOMENT in found:
            self._return_to(found[MOMENT])
        elif found is not None:
            self.set_values(found, note=False)

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
            self.set_values(found, note=False)

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
        second = session.second
        if lane is not None:
            try:
                check_count(neurons, chains)
            except StudioError as error:
                self.said.emit(str(error), "warning")
                return
        elif second is not None:
            second = _followed(second, neurons)
        if lane == SECOND and second is not None:
            second = replace(second, neurons=neurons)
        else:
            settings = session.settings.for_chains(len(neurons))
            session = replace(session, neurons=neurons, settings=settings)
        session = replace(session, second=second)
        if session == self.model.session:
            return
        self.model.set_session(session)
        self._post("neurons", neurons, lane)
        if lane is None:
            self._tell_unmatched()

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
        network.to(session.machine.device)
        neurons = matched(network, session.neurons)
        neurons = neurons or network.default_neurons(len(session.neurons))
        second = LaneView(network, neurons, settings or session.settings, title)
        self._comparisons += 1
        self.model.set_session(replace(session, second=second))
        self.model.set_acting(None)
        self._post("compare", Second(network, settings=settings, restart=restart))
        self._tell_unmatched()

    def end_comparison(self) -> None:
        """Show the first network alone again; its chains go on. Undoing it brings both back."""
        session = self.model.session
        if session is not None and session.second is not None:
            self._comparisons += 1
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

    def _on_needs_met(self) -> None:
        lessons, self._lessons = self._lessons, {}
        for name, value in lessons.items():
            self._post(name, value)

    def _post(self, name: str, value: Any = None, lane: int | None = None) -> None:
        if name in LEARNING:
            self._lessons.pop(name, None)
            if value and not self._needs.are_met:
                self._lessons[name] = value
                self._needs.ask()
                return
        if self._runner is not None:
            self._posts += 1
            self._runner.post(name, value, lane)
            self._request()


def _followed(second: LaneView, neurons: tuple[Neuron, ...]) -> LaneView:
    """Return the second lane after both were turned to other neurons, as the engine turns it."""
    settings = second.settings.for_chains(len(neurons))
    shown = matched_or_kept(second.network, neurons, second.neurons)
    return replace(second, neurons=shown, settings=settings)
