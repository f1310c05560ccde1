"""Changes that the user can undo: settings, neurons, and restarts of the chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import of_first
from ldam_studio.engine.state import snapshot
from ldam_studio.engine.suiting import WEIGHT
from ldam_studio.errors import StudioError
from ldam_studio.gui.session.fitting_values import stable_values, suited_values
from ldam_studio.gui.session.lanes import NEURONS, changes_to, largest
from ldam_studio.gui.session.link import Moment, SessionLink
from ldam_studio.gui.session.model import MAX_RATE, Model
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.session.undo import MOMENT, Undo
from ldam_studio.sampler.schedule_settings import CURVES
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.runner import Runner
    from ldam_studio.engine.state import SessionState
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.presets import Preset

RUN_SCHEDULE = "run_schedule"
"""The change that puts settings back into a schedule; with the values before a change, the settings
that left the schedule by it."""


@dataclass(frozen=True)
class Deed:
    """Something that is done beside the session."""

    do: Callable[[], object]


class Edits(SessionLink):
    """Posts changes, and remembers how to undo them."""

    raised_unclamped = pyqtSignal()  # the discriminator's weight was raised without clamp
    # What was done to settings; empty once that no longer holds.
    suited = pyqtSignal(str)  # which of them follow the neurons
    limited = pyqtSignal(str)  # which of them are limited, so that steps stay stable

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(model, parent)
        self.undo_stack = Undo()
        self._judged: Any = None
        """The discriminator's weight for classes while neurons of an inner layer are shown."""

    def _leave(self) -> None:
        self._judged = None
        self.undo_stack.clear()
        super()._leave()

    def open(self, opening: Opening) -> None:
        """Stop the current session, and open another one; undoing that goes back to the former."""
        super().open(opening)
        if self.way_back is not None:
            text = f"Opening {opening.title}"
            self.undo_stack.note_moment(self.way_back, opening, text, light=True)

    # Settings

    def set_value(self, name: str, value: Any) -> None:
        """Change a setting by its name; an invalid value changes nothing and is reported."""
        if name == "chains" and self.model.is_open and value < self.model.chains:
            self._keep(value)
        else:
            self.set_values({name: value})

    def _keep(self, count: int) -> None:
        """Keep the first chains, and the front chain among them; undoing brings the others back."""
        front = self.model.front
        kept = [*range(count - 1), max(front, count - 1)]
        self.make(Change("keep", tuple(kept)), "Chains")
        self.model.set_front(min(front, count - 1))

    def set_values(self, values: Mapping[str, Any], *, note: bool = True, text: str = "") -> None:
        """Change settings of the lane that is acted on, as far as steps stay stable; see `_set`."""
        if WEIGHT in values:
            self._judged = None  # what a person sets by hand holds for classes, too
        self._set(self._limited(values), self.model.acting, note=note, text=text)

    def _limited(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values with which steps are stable, and say which were limited."""
        if self._runner is None:
            return values
        found, said = stable_values(self.model.outline, self.model.acting, values)
        self.limited.emit(said)
        for name in found:
            if found[name] != values.get(name):
                # What moved the slider too far shows where it is now, even if nothing changes.
                self.model.value_changed.emit(name)
        return found

    def apply_preset(self, preset: Preset) -> None:
        """Set the values of a preset, start a new average, and run its schedule if it has one.

        Without the schedule, the small steps at its end would take long to turn a picture.
        """
        values = self.model.values_of(preset)
        shape, has = self.model.acted.network.pixels.shape, self.model.outline.discriminator
        of_classes = preset.values(shape, discriminator=has is not None)
        judged = of_classes.get(WEIGHT, self._judged)
        self.set_values(values, text=f"Preset {preset.label}")
        self._judged = judged
        if values.get("schedule") or values.get("schedule_shape") == CURVES:
            self._try(Change(RUN_SCHEDULE, None, self.model.acting))
        self._try(Change("reset_average", None, self.model.acting))

    def suited_to(self, neurons: tuple[Neuron, ...]) -> dict[str, Any]:
        """Return the settings that change when the lanes that are acted on turn to neurons.

        There are as many neurons as chains. Values are `PerLane` where lanes differ.
        """
        if not self.model.is_open:
            return {}
        # What cannot be made is reported when the neurons are set.
        return suited_values(self.model.outline, self.model.acting, neurons, self._judged)

    def _turning_to(self, neurons: tuple[Neuron, ...]) -> dict[str, Any]:
        """Return `suited_to`, and remember the discriminator's weight if it is taken away."""
        found = self.suited_to(neurons)
        if WEIGHT in found and not largest(found[WEIGHT]):
            self._judged = self.model.outline.lane.settings.discriminator_weight
        return found

    def turn_together(self, neuron: Neuron, changes: Sequence[Change], text: str) -> None:
        """Show a neuron with the settings that suit it, then make changes, undone as one.

        Raises
        ------
        StudioError
            If one of them cannot be made; nothing is changed then.
        """
        neurons = (neuron,) * self.model.chains
        turn = Change(NEURONS, neurons, self.model.acting)
        self.make_together(self._turning_to(neurons), [turn, *changes], text)

    def _set(
        self, values: Mapping[str, Any], lane: int | None, *, note: bool = True, text: str = ""
    ) -> bool:
        """Change several settings, or the neurons, in one change that can be undone.

        Parameters
        ----------
        values
            Values by name; `PerLane` values give each lane its own. If one is invalid, none is
            changed and the reason is reported.
        lane
            The lane to change; None for all lanes.
        note
            Whether the change can be undone.
        text
            Its name in the Edit menu; empty for the name of the setting.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        if self._runner is None:
            return False
        # Changing the number of neurons also changes the number of chains, and the reverse; the
        # values that chains have of their own go with them.
        both = {"chains": None, NEURONS: None}
        of_each = dict.fromkeys(name for name, about in SETTINGS.items() if about.per_chain)
        names = values if both.keys().isdisjoint(values) else {**values, **both, **of_each}
        before = {name: self.model.value(name) for name in names}
        try:
            rate = SETTINGS[MAX_RATE].check(values.get(MAX_RATE, self.model.max_rate))
            changes = self._changes(values, lane)
            moment = self._now(self._runner) if note and self._releases(changes) else None
            self._post(*changes)
        except StudioError as error:
            self.said.emit(str(error), "warning")
            return False
        self._set_max_rate(rate)
        after = {n: value for n in before if (value := self.model.value(n)) != before[n]}
        if moment is not None:
            again = tuple({MOMENT: change} for change in changes)
            self.undo_stack.note_moment(moment, again, text or NEURONS.capitalize())
        elif after and note:
            former = {name: before[name] for name in after}
            left = tuple(name for name in after if name in self.scheduled)
            if left:
                former[RUN_SCHEDULE] = left
            self.undo_stack.note(former, after, text)
        if WEIGHT in after and not self.model.acted.settings.clamp:
            if largest(after[WEIGHT]) > largest(before[WEIGHT]):
                self.raised_unclamped.emit()
        return bool(after)

    def _releases(self, changes: Sequence[Change]) -> bool:
        """Return whether chains that are held or hot no longer are after changes."""
        before = after = self.model.outline
        if not before.held and not before.heats:
            return False
        for change in changes:
            after = after.after(change)
        left = of_first(after, before.chains)
        return (left.held, left.heats) != (before.held, before.heats)

    def _changes(self, values: Mapping[str, Any], lane: int | None) -> list[Change]:
        """Return the changes that set these values, without those that have no effect.

        That the same neurons are chosen again releases no chain.
        """
        outline, changes = self.model.outline, []
        # Neurons of one lane must be as many as there are chains.
        for name, value in sorted(values.items(), key=lambda item: item[0] != "chains"):
            if name == MAX_RATE:
                continue
            for change in changes_to(outline, name, value, lane):
                after = outline.after(change)
                if replace(after, held=outline.held, heats=outline.heats) != outline:
                    changes.append(change)
                    outline = after
        return changes

    def _set_max_rate(self, rate: int) -> None:
        if self._runner is not None and rate != self.model.max_rate:
            self._runner.post(MAX_RATE, rate)
            self.model.set_max_rate(rate)

    def make(self, change: Change, text: str) -> None:
        """Make any change of the session; undoing it returns to the moment before it.

        Parameters
        ----------
        change
            One that no setting takes back, because it alters chains or averages. If it cannot be
            made, nothing is changed and the reason is reported.
        text
            Its name in the Edit menu.
        """
        try:
            self.make_or_raise(change, text)
        except StudioError as error:
            self.said.emit(str(error), "warning")

    def make_or_raise(self, change: Change, text: str) -> None:
        """Make any change, as `make` does; raise `StudioError` if it cannot be made."""
        if self._runner is None:
            return
        before = self._now(self._runner)
        self._post(change)
        self.undo_stack.note_moment(before, change, text)

    def make_together(
        self, values: Mapping[str, Any], changes: Sequence[Change], text: str
    ) -> None:
        """Set values of all lanes, then make changes, which are undone as one.

        Raises
        ------
        StudioError
            If one of them cannot be made; nothing is changed then.
        """
        if self._runner is None:
            return
        before = self._now(self._runner)
        every = (*self._changes(values, None), *changes)
        self._post(*every)
        again = tuple({MOMENT: change} for change in every)
        self.undo_stack.note_moment(before, again, text)

    def _now(self, runner: Runner, *, turns: bool = False) -> Moment:
        return Moment(runner.ask(snapshot), self.model.outline, self.model.front, turns)

    def return_to(self, state: SessionState, front: int, text: str) -> None:
        """Return to a moment of the session that was kept, with this chain in front.

        Undoing it returns to the present moment; `text` is its name in the Edit menu.
        """
        if self._runner is None:
            return
        before = Moment(
            self._runner.ask(snapshot), self.model.outline, self.model.front, turns=True
        )
        kept: Future[SessionState] = Future()
        kept.set_result(state)
        moment = Moment(kept, state.outline, front, turns=True)
        self._return_to(moment)
        self.model.set_front(front)
        self.undo_stack.note_moment(before, moment, text)

    def note_deed(self, undo: Callable[[], object], redo: Callable[[], object], text: str) -> None:
        """Remember something that was done beside the session, and how it is undone and redone."""
        self.undo_stack.note_moment(Deed(undo), Deed(redo), text, light=True)

    # Undo

    def undo(self) -> None:
        """Undo the last change; what was said of it no longer holds."""
        found = self.undo_stack.undo()
        self._apply(found)
        self.suited.emit("")
        self.limited.emit("")
        if found is not None and isinstance(found.get(MOMENT), Opening):
            self._redo_opening()

    def redo(self) -> None:
        """Make the change again that was undone last."""
        self._apply(self.undo_stack.redo())

    def _apply(self, found: Mapping[str, Any] | None) -> None:
        if found is None:
            return
        match found.get(MOMENT):
            case Moment() as moment:
                chains = self.model.chains
                self._return_to(moment)
                if moment.turns or self.model.chains != chains:
                    self.model.set_front(moment.front)
                    self._request()
            case Change() as change:
                self._try(change)
            case Deed() as deed:
                deed.do()
            case Opening() as opening:
                self.open(opening)
            case tuple() as parts:
                for part in parts:
                    self._apply(part)
            case None:
                values = dict(found)
                back = values.pop(RUN_SCHEDULE, ())
                self._set(values, None, note=False)
                self._try(*(Change(RUN_SCHEDULE, name) for name in back))

    def _redo_opening(self) -> None:
        """Let redo open the session again that was left by undoing its opening."""
        left, back = self.way_back, self._current
        self.undo_stack.clear()
        if left is not None:
            self.undo_stack.note_moment(back, left, f"Opening {left.title}", light=True)
            self.undo_stack.undo()

    def _try(self, *changes: Change) -> bool:
        """Post changes; if one cannot be made, report why, post none, and return False."""
        try:
            self._post(*changes)
        except StudioError as error:
            self.said.emit(str(error), "warning")
            return False
        return True
