"""Changes of the session that the user can undo and redo."""

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
from ldam_studio.gui.session.lanes import NEURONS, changes_to, largest
from ldam_studio.gui.session.link import Moment, SessionLink
from ldam_studio.gui.session.model import MAX_RATE, Model
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.session.undo import MOMENT, Undo
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.runner import Runner
    from ldam_studio.engine.state import SessionState

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

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(model, parent)
        self.undo_stack = Undo()

    def _leave(self) -> None:
        self.undo_stack.clear()
        super()._leave()

    def open(self, opening: Opening) -> None:
        """Stop the current session, and open another one; undoing that goes back to the former."""
        super().open(opening)
        if self.way_back is not None:
            text = f"Opening {opening.title}"
            self.undo_stack.note_moment(self.way_back, opening, text, light=True)

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
            self._note_together(moment, changes, text or NEURONS.capitalize())
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
        self._note_together(before, every, text)

    def _note_together(self, before: Moment, changes: Sequence[Change], text: str) -> None:
        """Remember changes that are undone as one, by returning to the moment before them."""
        self.undo_stack.note_moment(before, tuple({MOMENT: change} for change in changes), text)

    def _now(self, runner: Runner, *, turns: bool = False) -> Moment:
        return Moment(runner.ask(snapshot), self.model.outline, self.model.front, turns)

    def return_to(self, state: SessionState, front: int, text: str) -> None:
        """Return to a moment of the session that was kept, with this chain in front.

        Undoing it returns to the present moment; `text` is its name in the Edit menu.
        """
        if self._runner is None:
            return
        before = self._now(self._runner, turns=True)
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
        """Undo the last change."""
        found = self.undo_stack.undo()
        self._apply(found)
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
