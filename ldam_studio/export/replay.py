"""Running the session of an exported picture again, and comparing the pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ldam_studio.engine.changes.table import kind_of
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.export.contact_sheet import drawn_again
from ldam_studio.export.formats.table import read
from ldam_studio.export.locate import Nearby
from ldam_studio.export.recipe import (
    Recipe,
    device_of,
    discriminator_seen,
    lessons_hash,
    pixel_hash,
)
from ldam_studio.export.rerun import OnStep, rerun
from ldam_studio.export.shown import picture_of
from ldam_studio.networks.plan import PLAIN

WITHOUT_EFFECT = ("arithmetic", "confirmed", "tried", "asked")
"""What is recorded of a device and may differ: replay uses what was recorded, and how the plan was
chosen does not matter."""


@dataclass(frozen=True)
class Comparison:
    """The result of replaying a picture.

    `differences` lists conditions that have changed since the picture was made (torch, device,
    ...), for example "torch 2.9 there, 2.10 here". `correlation` is that between the pixels of both
    pictures; None if there is only the recipe, which has the hash of the pixels. Of all `steps`
    only the last `replayed` were run: earlier steps have no effect on the picture, or their result
    was stored.
    """

    identical: bool
    correlation: float | None
    differences: tuple[str, ...]
    steps: int
    replayed: int
    picture: Bytes


def compare(
    path: Path, nearby: Nearby | None = None, on_step: OnStep | None = None
) -> Comparison | None:
    """Replay the picture at `path` and compare the pixels; None if `on_step` stopped it.

    Raises
    ------
    StudioError
        If the picture or its recipe was altered, or weights are missing or have changed.
    """
    recipe, picture = read(path)
    return compare_recipe(recipe, nearby or Nearby(path.parent), on_step, picture)


def compare_recipe(
    recipe: Recipe, nearby: Nearby, on_step: OnStep | None = None, picture: Bytes | None = None
) -> Comparison | None:
    """Replay a recipe and compare the pixels with its picture, or else with their hash.

    Returns None if `on_step` stopped it, and raises as `compare` does.
    """
    replayed = 0

    def count(done: int, total: int) -> bool | None:
        nonlocal replayed
        replayed = total
        return None if on_step is None else on_step(done, total)

    found = _drawn_again(recipe, nearby, count)
    if found is None:
        return None
    state, again = found
    sheet = recipe.said.sheet
    correlation = None
    if picture is not None:
        correlation = _correlation(picture, again) if again.shape == picture.shape else 0.0
    return Comparison(
        identical=pixel_hash(again) == recipe.said.pixels,
        correlation=correlation,
        differences=differences(recipe, state),
        steps=recipe.step if sheet is None else sum(cell.step for cell in sheet.cells),
        replayed=replayed,
        picture=again,
    )


def _drawn_again(
    recipe: Recipe, nearby: Nearby, on_step: OnStep
) -> tuple[SessionState, Bytes] | None:
    """Return the session of a recipe and its picture; None if `on_step` stopped it."""
    sheet = recipe.said.sheet
    if sheet is None:
        state = rerun(recipe, nearby, on_step)
        return None if state is None else (state, picture_of(state, recipe.shown))
    with nearby.keeping_networks():
        return drawn_again(recipe, sheet, lambda own, count: rerun(own, nearby, count), on_step)


def steps_to_replay(state: SessionState) -> int:
    """Return the number of steps, at most, in the replay of a picture of this moment."""
    kept = any(kind_of(entry.name).reads_chains for entry in state.log)
    if state.learner is not None or kept:  # a restart does not undo what it learned
        return state.step
    restarts = (e.step for e in state.log if kind_of(e.name).restarts(e.value))
    return state.step - max(restarts, default=0)


def differences(recipe: Recipe, state: SessionState) -> tuple[str, ...]:
    """List everything that affects the last bits and has changed since the export."""
    # Recipes of 0.1.0 do not record a plan.
    there, here = asdict(PLAIN) | recipe.said.machine, device_of(state)
    found = [
        f"{name.replace('_', ' ')} {there.get(name)} there, {here[name]} here"
        for name in here
        if name not in WITHOUT_EFFECT and there.get(name) != here[name]
    ]
    if recipe.said.real_images != lessons_hash(state):
        found.append("the real images from which the discriminator learned")
    seen = discriminator_seen(state)
    if not found and recipe.said.discriminator_seen not in (None, seen):
        found.append("what the discriminator had learned")
    return tuple(found)


def _correlation(one: Bytes, other: Bytes) -> float:
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    if (a == b).all():
        return 1.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0
