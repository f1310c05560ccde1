"""Running the session of a recipe again, step by step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ldam_studio.engine.advance import StepInfo, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import kind_of
from ldam_studio.engine.compute.device import AUTO, Device, choose
from ldam_studio.engine.description import (
    DeviceDescription,
    MeasuredReference,
    parse,
    parse_session,
)
from ldam_studio.engine.prior import check_same_denoiser
from ldam_studio.engine.session import SessionSpec, open_session, spec_from
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.former_log import log_as_today
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import is_inside, is_usual
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.session_file import read_session
from ldam_studio.files import is_regular

OnStep = Callable[[int, int], bool | None]


class Rerun:
    """A session that is run again, as far as wished, also beyond the step of the export.

    Parameters
    ----------
    earliest
        The first step of which the session is wanted; None for the export's. Steps before a restart
        that comes before it are skipped where only their settings have an effect.
    saved
        A file of `save_session` with this session at a later step, from where it goes on.

    Attributes
    ----------
    recipe
        The recipe.
    state
        The session, with the changes that were made at its step.

    Raises
    ------
    StudioError
        If weights are missing or have changed, the recipe or the file is not valid, or a change in
        the log cannot be made.
    """

    def __init__(
        self,
        recipe: Recipe,
        nearby: Nearby,
        earliest: int | None = None,
        saved: Path | None = None,
    ) -> None:
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
        self.recipe = recipe
        self._pending: dict[int, list[_Step]] = defaultdict(list)
        with _sensible():
            if saved is not None:
                self.state = read_session(saved, opener=nearby)
            else:
                self.state = _beginning(recipe, nearby)
            begun = self.state.step
            for entry in _log(recipe):
                if saved is not None and entry.step <= begun:
                    continue
                kind = kind_of(entry.name)
                change = Change(entry.name, kind.read(entry.value, nearby), entry.lane)
                restarts = kind.restarts(entry.value)
                self._pending[entry.step].append(_Step(change, restarts, kind.reads_chains))
            if any(not begun <= step <= recipe.step for step in self._pending):
                raise ValueError("the log does not fit the steps")
            if saved is None:
                until = recipe.step if earliest is None else earliest
                _skip_to_last_restart(self.state, self._pending, until)
        self._change()

    def run_to(
        self,
        step: int,
        on_step: OnStep | None = None,
        take: Callable[[StepInfo], object] = lambda _info: None,
    ) -> bool:
        """Run up to a step, with the changes that were made at it; return False if stopped.

        Parameters
        ----------
        on_step
            Called with the number of steps done and of all steps to do; returning False stops.
        take
            Called with what happened in each step.

        Raises
        ------
        StudioError
            If a change in the log cannot be made.
        """
        first = self.state.step
        while self.state.step < step:
            self.state, info = advance(self.state)
            take(info)
            self._change()
            done = self.state.step - first
            if on_step is not None and on_step(done, step - first) is False:
                return False
        return True

    def _change(self) -> None:
        """Make the changes of this step, so that a session that is saved has them."""
        _apply(self.state, self._pending.pop(self.state.step, []))


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
    again = Rerun(recipe, nearby)
    return again.state if again.run_to(recipe.step, on_step) else None


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


def _skip_to_last_restart(
    state: SessionState, pending: Mapping[int, list[_Step]], until: int
) -> None:
    """Skip the steps before the last restart up to `until`, of which only the settings remain.

    Nothing is skipped if a discriminator may have learned before it, or a picture was kept that was
    computed from the chains, since a restart does not undo that.
    """
    reading = [s for s, cs in pending.items() if any(one.reads_chains for one in cs)]
    last = max(
        (s for s, cs in pending.items() if s <= until and any(one.restarts for one in cs)),
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
