"""Running the session of an exported picture again, and comparing the pixels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import kind_of
from ldam_studio.engine.compute.device import AUTO, Device, choose
from ldam_studio.engine.description import (
    DeviceDescription,
    MeasuredReference,
    parse,
    parse_session,
)
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.prior import check_same_denoiser
from ldam_studio.engine.session import SessionSpec, open_session, spec_from
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.contact_sheet import drawn_again
from ldam_studio.export.formats.table import read
from ldam_studio.export.former_log import log_as_today
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import is_inside, is_usual
from ldam_studio.export.recipe import (
    Recipe,
    device_of,
    discriminator_seen,
    lessons_hash,
    pixel_hash,
)
from ldam_studio.export.session_file import read_session
from ldam_studio.export.shown import picture_of
from ldam_studio.files import is_regular
from ldam_studio.networks.plan import PLAIN

WITHOUT_EFFECT = ("arithmetic", "confirmed", "tried", "asked")
"""What is recorded of a device and may differ: replay uses what was recorded, and how the plan was
chosen does not matter."""

OnStep = Callable[[int, int], bool | None]


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


def rerun(recipe: Recipe, nearby: Nearby, on_step: OnStep | None = None) -> SessionState | None:
    """Run a recipe up to the step of its export.

    Parameters
    ----------
    on_step
        Called with the number of steps done and of all steps to do; returning False stops.

    Returns
    -------
    The session as it was at the export (bit for bit on the same machine), or None if stopped.

    Raises
    ------
    StudioError
        If weights are missing or have changed, or a change in the log cannot be made.
    """
    check_same_denoiser(recipe.said.denoiser)
    nearby.inside = recipe.said.pictures
    if learns(recipe):
        nearby.check_data(data_of(recipe), recipe.said.real_images)
    for reference in (lane.network for lane in recipe.said.end.lanes):
        if reference.statistics is not None:  # perhaps not in use before the log turned them on
            nearby.statistics[reference.sha256] = reference.statistics
    for logged in reversed(recipe.said.log):
        if logged.name == "statistics":  # until then the session used others
            measured = parse(logged.value, MeasuredReference)
            nearby.statistics[measured.network] = measured.before
    pending: dict[int, list[_Step]] = defaultdict(list)
    with _sensible():
        state = _beginning(recipe, nearby)
        for entry in _log(recipe):
            kind = kind_of(entry.name)
            change = Change(entry.name, kind.read(entry.value, nearby), entry.lane)
            restarts = kind.restarts(entry.value)
            pending[entry.step].append(_Step(change, restarts, kind.reads_chains))
        if any(not state.step <= step <= recipe.step for step in pending):
            raise ValueError("the log does not fit the steps")
        _skip_to_last_restart(state, pending)
    first = state.step
    while state.step < recipe.step:
        _apply(state, pending.get(state.step, []))
        state, _ = advance(state)
        if on_step is not None and on_step(state.step - first, recipe.step - first) is False:
            return None
    _apply(state, pending.get(state.step, []))
    return state


def learns(recipe: Recipe) -> bool:
    """Return whether a discriminator may learn in the session of a recipe."""
    described = (recipe.said.session, recipe.data["end"])
    settings = ("learn_every", "discriminator_rounds")
    return any(part.get(name) for part in described for name in settings) or any(
        entry.name in settings for entry in recipe.said.log
    )


def data_of(recipe: Recipe) -> str | None:
    """Return the folder of real images that a recipe names, if any."""
    began = recipe.said.session.get("data")
    return began if isinstance(began, str) else recipe.said.end.data


def _log(recipe: Recipe) -> list[LogEntry]:
    log = [LogEntry(entry.step, entry.name, entry.value, entry.lane) for entry in recipe.said.log]
    is_former = "kernel" not in recipe.said.end.lanes[0].settings
    return list(log_as_today(log)) if is_former else log


@dataclass(frozen=True)
class _Step:
    """A change in the log, whether it restarts the chains, and whether it keeps some of them."""

    change: Change
    restarts: bool
    reads_chains: bool


@contextmanager
def _sensible() -> Iterator[None]:
    """Turn exceptions that a forged recipe with a valid hash can cause into one sentence."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StudioError(f"The recipe is not valid ({error}); export the picture again.") from None


def _apply(state: SessionState, steps: list[_Step]) -> None:
    if not steps:
        return
    with _sensible():
        _, info = advance(state, [step.change for step in steps], 0)
    if info.refused:
        raise StudioError(f"A change in the recipe cannot be made: {info.refused[0]}")


def _skip_to_last_restart(state: SessionState, pending: Mapping[int, list[_Step]]) -> None:
    """Skip the steps before the last restart, of which only the settings remain.

    Nothing is skipped if a discriminator may have learned before it, or a picture was kept that was
    computed from the chains, since a restart does not undo that.
    """
    reading = [s for s, cs in pending.items() if any(one.reads_chains for one in cs)]
    last = max(
        (s for s, cs in pending.items() if any(one.restarts for one in cs)),
        default=state.step,
    )
    before = [step for step in sorted(pending) if step < last]
    teaching = {"learn_every", "discriminator_rounds"}
    if state.learn_every or state.discriminator_rounds:
        teaching.add("discriminator")  # a discriminator that is added later learns from then on
    changed = {one.change.name for step in before for one in pending[step]}
    if state.learner is not None or changed & teaching or any(step <= last for step in reading):
        return
    for step in before:
        state.step = step
        _apply(state, pending[step])
    state.step = last


def steps_to_replay(state: SessionState) -> int:
    """Return the number of steps, at most, in the replay of a picture of this moment."""
    kept = any(kind_of(entry.name).reads_chains for entry in state.log)
    if state.learner is not None or kept:  # a restart does not undo what it learned
        return state.step
    restarts = (e.step for e in state.log if kind_of(e.name).restarts(e.value))
    return state.step - max(restarts, default=0)


def spec_at_export(recipe: Recipe, nearby: Nearby) -> SessionSpec:
    """Return how to open a session with the settings at the export; its chains start again.

    Raises
    ------
    StudioError
        If weights are missing or have changed.
    """
    with _sensible():
        if recipe.said.end.learn_every or recipe.said.end.discriminator_rounds:
            nearby.check_data(recipe.said.end.data, recipe.said.real_images)
        return spec_from(recipe.said.end, _device(recipe.said.end.machine), nearby)


def _beginning(recipe: Recipe, nearby: Nearby) -> SessionState:
    file = recipe.session_file
    if file is None:
        described = parse_session(recipe.data["session"])
        return open_session(spec_from(described, _device(described.machine), nearby))
    end = recipe.said.end.machine
    device = _device(end)
    if device.name == end.device:
        # The log starts with the plan in the session file and may change it later.
        device = replace(device, precision=AUTO, threads=0)
    # Only the file's name is used: a recipe must not name files in other folders.
    path = nearby.folder / Path(file.file.replace("\\", "/")).name
    usual = is_usual(path.name) and (nearby.allow_files or is_inside(path, nearby.folder))
    if not (usual and is_regular(path)):
        raise StudioError(
            f"The session file {path.name} is missing; it was written beside the picture, so put "
            "it there."
        )
    state = read_session(path, device, file.sha256, opener=nearby)
    # The precision is not measured here: the log has it.
    state.device = replace(state.device, tried=False)
    return state


def _device(recorded: DeviceDescription) -> Device:
    """Choose the recorded device, or the best available one if it is missing."""
    try:
        return choose(recorded.device, recorded.precision, recorded.threads, recorded.plan)
    except StudioError:
        return replace(choose("auto", threads=1), precision="float32")


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
