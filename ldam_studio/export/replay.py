"""Running an exported picture's session again, and comparing the pixels."""

from __future__ import annotations

import copy
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import (
    SessionSpec,
    discriminator_from,
    network_from,
    open_session,
    second_from,
    spec_from,
)
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.png import read
from ldam_studio.export.recipe import (
    Recipe,
    device_of,
    discriminator_seen,
    lessons_hash,
    picture_of,
)
from ldam_studio.export.sidecar import read_session
from ldam_studio.files import read_bytes
from ldam_studio.sampler.settings import FORMER

OnStep = Callable[[int, int], bool | None]


@dataclass(frozen=True)
class Files:
    """Where to look for what a recipe names by file.

    `weights`, `second` (the second network's) and `discriminator` stand for the recipe's files with
    the same content. Any other file is looked for where it was, then in `folder` (the picture's
    own) by its name. Only with `allow_code` is a network run that is a person's own code.
    """

    folder: Path = Path()
    weights: Path | None = None
    discriminator: Path | None = None
    allow_code: bool = False
    second: Path | None = None


@dataclass(frozen=True)
class Comparison:
    """What running a picture's session again gave.

    `differences` names what is not as it was when the picture was made (torch, device, ...), each
    as "torch 2.9 there, 2.10 here"; `correlation` is that of the pixels of both pictures. Of all
    `steps` the last `replayed` were run: nothing of those before is left, or it was stored.
    """

    identical: bool
    correlation: float
    differences: tuple[str, ...]
    steps: int
    replayed: int
    picture: Bytes


def compare(
    path: Path, files: Files | None = None, on_step: OnStep | None = None
) -> Comparison | None:
    """Run the session of the picture at `path` again and compare; None if `on_step` stopped it.

    Raises
    ------
    StudioError
        If the picture or its recipe was altered, or weights are missing or differ.
    """
    recipe, picture = read(path)
    replayed = 0

    def count(done: int, total: int) -> bool | None:
        nonlocal replayed
        replayed = total
        return None if on_step is None else on_step(done, total)

    state = rerun(recipe, files or Files(path.parent), count)
    if state is None:
        return None
    again = picture_of(state, recipe.shown)
    same_shape = again.shape == picture.shape
    return Comparison(
        identical=same_shape and bool((again == picture).all()),
        correlation=_correlation(picture, again) if same_shape else 0.0,
        differences=differences(recipe, state),
        steps=recipe.step,
        replayed=replayed,
        picture=again,
    )


def rerun(recipe: Recipe, files: Files, on_step: OnStep | None = None) -> SessionState | None:
    """Run a recipe up to the step of its export.

    Parameters
    ----------
    on_step
        Called with the steps done and to do; returning False stops.

    Returns
    -------
    The session as it was at the export (bit for bit on the same machine), or None if stopped.

    Raises
    ------
    StudioError
        If weights are missing or differ, or a change of the log cannot be made.
    """
    pending: dict[int, list[Change]] = defaultdict(list)
    with _sensible():
        state = _beginning(recipe, files)
        for step, name, value, *lane in _log(recipe):
            meant = _meant(files, recipe.data.get("session"), name, value)
            pending[step].append(_change(name, value, meant, *lane))
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


def _log(recipe: Recipe) -> Iterator[list[Any]]:
    """Yield the entries of the log as they are written today.

    In 0.1.0 BIDMach's rule was a mode, so that choosing another mode was to leave it.
    """
    is_old = "kernel" not in recipe.data["end"]["settings"]
    for step, name, value, *lane in recipe.data["log"]:
        if not is_old or name != "mode":
            yield [step, name, value, *lane]
        elif (name, value) in FORMER:
            yield [step, *FORMER[name, value], *lane]
        else:
            yield [step, name, value, *lane]
            yield [step, "kernel", "langevin", *lane]


@contextmanager
def _sensible() -> Iterator[None]:
    """Turn what a forged recipe runs into, whose hash fits, into one sentence."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StudioError(
            f"The recipe makes no sense ({type(error).__name__}: {error}); export the picture "
            "again."
        ) from None


def _apply(state: SessionState, changes: list[Change]) -> None:
    if not changes:
        return
    with _sensible():
        _, info = advance(state, changes, 0)
    if info.refused:
        raise StudioError(f"The recipe asks for what cannot be done: {info.refused[0]}")


def _skip_to_last_restart(state: SessionState, pending: Mapping[int, list[Change]]) -> None:
    """Leave out the steps before the last restart: nothing of them is left but the settings.

    Not where a discriminator may have learned before: what it learned outlives a restart.
    """
    last = max(
        (s for s, cs in pending.items() if any(c.restarts for c in cs)),
        default=state.step,
    )
    before = [step for step in sorted(pending) if step < last]
    teaching = {"learn_every", "discriminator_rounds"}
    if state.learn_every or state.discriminator_rounds:
        teaching.add("discriminator")  # one that comes later learns from then on
    changed = {change.name for step in before for change in pending[step]}
    if state.learner is not None or changed & teaching:
        return
    for step in before:
        state.step = step
        _apply(state, pending[step])
    state.step = last


def steps_to_replay(state: SessionState) -> int:
    """Return how many steps the replay of a picture of this moment takes, at most."""
    if state.learner is not None:  # what it learned outlives a restart
        return state.step
    restarts = (entry.step for entry in state.log if _restarted(entry.name, entry.value))
    return state.step - max(restarts, default=0)


def _restarted(name: str, value: Any) -> bool:
    """Whether the chains started anew with what an entry of the log says."""
    if name == "compare":
        return isinstance(value, dict) and bool(value.get("restart"))
    return Change(name, value).restarts


def spec_at_export(recipe: Recipe, files: Files) -> SessionSpec:
    """Return how to open a session as it was set at the export; its chains start anew.

    Raises
    ------
    StudioError
        If weights are missing or differ.
    """
    with _sensible():
        description = _located(recipe.data["end"], files)
        return spec_from(description, _device(description), allow_code=files.allow_code)


def _beginning(recipe: Recipe, files: Files) -> SessionState:
    sidecar = recipe.sidecar
    if sidecar is not None:
        end = recipe.data["end"]
        device = _device(end)
        if device is not None and device.name == end["machine"]["device"]:
            # The log may change the precision later on; it begins with the sidecar's.
            device = replace(device, precision="auto")
        # Only the name counts: a recipe must not reach into other folders.
        path = files.folder / Path(str(sidecar.get("file"))).name
        if not path.exists():
            raise StudioError(
                f"The session file {path.name} is missing; it was written beside the picture, put "
                "it there."
            )
        sha256 = str(sidecar.get("sha256"))
        state = read_session(path, device, sha256, allow_code=files.allow_code)
        # Nothing is tried here: the log tells.
        state.device = replace(state.device, tried=False)
        return state
    description = _located(recipe.data["session"], files)
    device = _device(description)
    return open_session(spec_from(description, device, allow_code=files.allow_code))


def _device(description: Mapping[str, Any]) -> Device | None:
    """Choose the recorded device, or the best there is where that is not to be had."""
    try:
        where = description["machine"]
        try:
            return choose(where["device"], where["precision"], where["threads"])
        except StudioError:
            return replace(choose("auto", threads=1), precision="float32")
    except (KeyError, TypeError):
        return None


def _meant(files: Files, began: Any, name: str, value: Any) -> Files:
    """Return the files for a change of the log: those given are of what the recipe began with."""
    key = "discriminator" if name == "discriminator" else "network"
    first = began.get(key) if isinstance(began, dict) else None
    same = isinstance(value, dict) and first and value.get("sha256") == first.get("sha256")
    return files if same or not first else replace(files, weights=None, discriminator=None)


def _change(name: str, value: Any, files: Files, lane: int | None = None) -> Change:
    if not isinstance(value, dict):
        return Change(name, value, lane)
    if name == "compare":
        second = _second(value, files)
        return Change(name, second_from(second, allow_code=files.allow_code))
    if name == "discriminator":
        reference = _with_file(value, files.discriminator, files.folder)
        return Change(name, discriminator_from(reference))
    if name in ("network", "weights"):
        reference = _with_file(value, files.second if lane else files.weights, files.folder)
        return Change(name, network_from(reference, allow_code=files.allow_code), lane)
    return Change(name, value, lane)


def _second(description: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return the description of a second lane whose network names files that are here."""
    network = _with_file(description["network"], files.second, files.folder)
    return {**description, "network": network}


def _located(description: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return a description whose references name files that are here."""
    found: dict[str, Any] = copy.deepcopy(dict(description))
    for key, given in (("network", files.weights), ("discriminator", files.discriminator)):
        if isinstance(found.get(key), dict):
            found[key] = _with_file(found[key], given, files.folder)
    if isinstance(found.get("second"), dict):
        found["second"] = _second(found["second"], files)
    return found


def _with_file(reference: Mapping[str, Any], given: Path | None, folder: Path) -> dict[str, Any]:
    reference = _with_code(reference, folder)
    if "mean_of" in reference:
        parts = [
            _with_file({**part, "name": reference["name"]}, None, folder)
            for part in reference["mean_of"]
        ]
        reference = {**reference, "mean_of": parts}
    recorded = reference.get("weights")
    # A session may have had several files of one network, of which one is given.
    if given is not None and _sha256(given) == reference.get("sha256"):
        return {**reference, "weights": str(given)}
    if not isinstance(recorded, str) or Path(recorded).exists():
        return dict(reference)
    beside = folder / Path(recorded.replace("\\", "/")).name
    if beside.exists():
        return {**reference, "weights": str(beside)}
    if given is not None:  # and opening it says that it is another one
        return {**reference, "weights": str(given)}
    raise StudioError(
        f"The weights {recorded} of {reference.get('name')} are missing; put the file there or "
        "beside the picture."
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _with_code(reference: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a reference whose file of code was moved along with the picture as it is there."""
    place, _, function = str(reference.get("name")).rpartition(":")
    beside = folder / Path(place.replace("\\", "/")).name
    if place.endswith(".py") and not Path(place).exists() and beside.exists():
        return {**reference, "name": f"{beside}:{function}"}
    return reference


def differences(recipe: Recipe, state: SessionState) -> tuple[str, ...]:
    """Name what decides about the last bits and is not as it was at the export."""
    there, here = recipe.data["machine"], device_of(state)
    # How the precision was come by, "tried", does not count: replay takes the one recorded.
    found = [
        f"{name.replace('_', ' ')} {there.get(name)} there, {here[name]} here"
        for name in here
        if name != "tried" and there.get(name) != here[name]
    ]
    if recipe.data.get("real_images") != lessons_hash(state):
        found.append("the real images from which the discriminator learned")
    seen = discriminator_seen(state)
    if not found and recipe.data.get("discriminator_seen", seen) != seen:
        found.append("what the discriminator had learned")
    return tuple(found)


def _correlation(one: Bytes, other: Bytes) -> float:
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    if (a == b).all():
        return 1.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0
