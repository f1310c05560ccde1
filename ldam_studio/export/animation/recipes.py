"""Animations of recipes: sessions that are run again, one frame every few steps."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.animation import MOST_FRAMES
from ldam_studio.export.animation.composing import Composer
from ldam_studio.export.animation.panes import BOTH, full_sizes, panes_of
from ldam_studio.export.animation.unfinished import Unfinished
from ldam_studio.export.locate import Nearby
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.rerun import Rerun
from ldam_studio.export.shown import OF_ONE, Shown

SAVED_EVERY_S = 60.0
"""Seconds after which sessions are saved, so that not everything is lost in a crash."""


@dataclass(frozen=True)
class Wanted:
    """What an animation of recipes shows.

    Attributes
    ----------
    steps
        The steps of which there is a frame.
    height
        Height of the animation in pixels, at most.
    what
        One of `panes.WHAT`; None for what each picture shows.
    titles
        A text above each recipe; none at all for no band of texts.
    """

    steps: range
    height: int
    what: str | None = None
    titles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise StudioError("There is no step in this range; its end comes after its beginning.")
        if len(self.steps) > MOST_FRAMES:
            raise StudioError(
                f"The animation would have {len(self.steps):,} frames, and can have {MOST_FRAMES:,}"
                "; choose fewer steps, or a larger --every."
            )


class Film:
    """The frames of an animation of recipes, side by side in the order given.

    Parameters
    ----------
    recipes
        The recipes, each with what opens its networks.
    wanted
        What is shown.
    unfinished
        Where it is kept, so that it goes on after a stop, with the same frames.

    Attributes
    ----------
    size
        Width and height of the frames.
    steps
        How many steps are left to run, for all recipes together.
    is_stopped
        Whether `on_step` stopped it.

    Raises
    ------
    StudioError
        If a recipe cannot be run, or not from the first step, or is of a contact sheet; or what was
        kept is damaged.
    """

    def __init__(
        self,
        recipes: Sequence[tuple[Recipe, Nearby]],
        wanted: Wanted,
        unfinished: Unfinished,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted, self._unfinished, self._clock = wanted, unfinished, clock
        for recipe, _nearby in recipes:
            _check_one_session(recipe)
        self._about = about = unfinished.read()
        if about is None:
            unfinished.remove()
        self._next = wanted.steps.start if about is None else about.step
        self._reruns: list[Rerun] = []
        for number, (recipe, nearby) in enumerate(recipes):
            saved = None if about is None else unfinished.session(number, about.saved)
            again = Rerun(recipe, nearby, wanted.steps.start, saved)
            if again.state.step > self._next:
                raise StudioError(
                    f"A recipe begins at step {again.state.step:,}, from a session file; choose "
                    f"--steps from there on, such as {again.state.step}-{again.state.step + 1000}."
                )
            self._reruns.append(again)
        # Later, a session may have more chains than at its beginning and at its end.
        layout = [self._sizes(again) for again in self._reruns] if about is None else about.layout
        if len(layout) != len(recipes):
            raise unfinished.damaged()
        self._composer = Composer(layout, wanted.height, wanted.titles)
        if about is not None:
            self._composer.scales = {(s.group, s.kind): s.value for s in about.scales}
        self.size = self._composer.size
        last = wanted.steps[-1]
        self.steps = sum(max(0, last - again.state.step) for again in self._reruns)
        self.is_stopped = False

    def frames(self, on_step: Callable[[], bool]) -> Iterator[Bytes]:
        """Yield the frames (H, W, 3), those first that were kept before.

        Parameters
        ----------
        on_step
            Called after each step; returning False stops, and keeps what there is.

        Raises
        ------
        StudioError
            If a session cannot go on, or there is no space.
        """
        if self._about is not None:
            yield from self._unfinished.frames(self._about, self.size)
        saved = self._clock()
        steps = self._wanted.steps
        for step in range(self._next, steps.stop, steps.step):
            for again in self._reruns:
                if not again.run_to(step, lambda _done, _total: on_step()):
                    self.is_stopped = True
                    self._save(step)
                    return
            picture = self._composed()
            self._unfinished.append(picture)
            if self._clock() - saved > SAVED_EVERY_S:
                self._save(step + steps.step)
                saved = self._clock()
            yield picture

    def _sizes(self, again: Rerun) -> list[list[tuple[int, int]]]:
        end = again.recipe.said.end
        return full_sizes(again.state, end, self._what(again), self._shown(again))

    def _composed(self) -> Bytes:
        groups = [
            panes_of(again.state, self._what(again), self._shown(again)) for again in self._reruns
        ]
        return self._composer(groups, [_note(again) for again in self._reruns])

    def _save(self, step: int) -> None:
        states = [again.state for again in self._reruns]
        self._unfinished.save(states, self._composer.layout, step, self._composer.scales)

    def _what(self, again: Rerun) -> str:
        return self._wanted.what or again.recipe.shown.what

    def _shown(self, again: Rerun) -> Shown:
        shown, what = again.recipe.shown, self._wanted.what
        if what is None or what == BOTH:
            return shown
        return replace(shown, what=what, field=shown.field and what in OF_ONE)


def _check_one_session(recipe: Recipe) -> None:
    """Raise `StudioError` for the recipe of a contact sheet."""
    if recipe.said.sheet is not None:
        raise StudioError(
            "On a contact sheet, every neuron has a session of its own; choose a picture of one "
            "session."
        )


def key_of(recipes: Sequence[Recipe], wanted: Wanted) -> str:
    """Return a hash of what the frames of an animation are made of."""
    steps = [wanted.steps.start, wanted.steps.stop, wanted.steps.step]
    said = [[recipe.data["sha256"] for recipe in recipes], steps]
    texts = [wanted.height, wanted.what, *wanted.titles]
    return hashlib.sha256(json.dumps([said, texts]).encode()).hexdigest()


def _note(again: Rerun) -> str:
    melting = "melting, " if again.state.melting else ""
    return f"{melting}step {again.state.step:,}"
