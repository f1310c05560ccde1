"""A session as named tensors and JSON, and back: for session files and for the next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import msgspec
from torch import Tensor

from ldam_studio.engine import silent_neurons
from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import Count, Heat, Heats, Held, describe
from ldam_studio.engine.kept_pictures import from_session_file, to_session_file
from ldam_studio.engine.lane import begin, with_clock, with_trust
from ldam_studio.engine.photo_statistics import Balance
from ldam_studio.engine.session import Opener, open_session, spec_from
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.engine.tempering import tempered
from ldam_studio.engine.trust import Trust
from ldam_studio.errors import StudioError
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.schedule import Clock
from ldam_studio.sampler.tempering import LEAST_GAP, MOST_GAP
from ldam_studio.training import learner

VERSION = 2
"""In version 1, of LDAM Studio 0.1.0, the tensors of the first lane had no prefix and those of the
second lane had the prefix "second.". The counts that are now in `lanes` were stored likewise."""
AVERAGE = ("mean", "variance", "count", "change")
PROGRESS = ("total", "squares", "mean", "variance", "steady", "done")
BEHIND = "progress.behind"
"""Only where chains were held or restarted; see `burn_in.BurnIn`."""
WAKING = ("quiet", "answered", "led")
TEMPERING = ("gap", "tried", "rate", "descending", "trips")
MEMORY, MOMENTS = "memory.", "moments."
"""Prefixes of the tensors in a kernel's memory; files of 0.1.0 have the latter."""


def to_tensors(state: SessionState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the whole session: tensors (copied to the CPU), and the rest in JSON's types.

    The log is not included: the restored session starts a new log.
    """
    tensors: dict[str, Tensor] = {}
    counts = []
    for number, lane in enumerate(state.lanes):
        own, count = tensors_of(lane)
        tensors |= {f"lanes.{number}.{name}": tensor for name, tensor in own.items()}
        counts.append(count)
    tensors |= {f"generator.{name}": s for name, s in state.generators.state().items()}
    if state.learner is not None:
        tensors |= {f"learner.{name}": t for name, t in state.learner.tensors().items()}
    kept, pictures = to_session_file(state.pictures)
    tensors |= kept
    about = {
        "version": VERSION,
        "session": describe(state.outline),
        "step": state.step,
        "melting": state.melting,
        "heated": state.heated,
        "held": list(state.held),
        "heats": list(state.heats),
        "lessons_due": state.lessons_due,
        "checked_layers": [list(layer) for layer in sorted(state.checked_layers)],
        "lanes": counts,
        "pictures": pictures,
        "rest": state.rest,
        "layouts": {n: _layout(t) for n, t in tensors.items() if not t.is_contiguous()},
    }
    copies = {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}
    return copies, about


def tensors_of(lane: Lane) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a lane that steps change, and its counts in JSON's types."""
    tensors = {"x": lane.chains.x}
    tensors |= {f"average.{name}": getattr(lane.average, name) for name in AVERAGE}
    tensors |= {f"progress.{name}": getattr(lane.progress, name) for name in PROGRESS}
    if lane.progress.most_behind:
        tensors[BEHIND] = lane.progress.behind
    tensors["thresholds.values"] = lane.thresholds.values
    tensors |= {f"waking.{name}": getattr(lane.waking, name) for name in WAKING}
    tensors["balance.gamma"] = lane.balance.gamma
    if lane.tempering is not None:
        tensors |= {f"tempering.{name}": getattr(lane.tempering, name) for name in TEMPERING}
    if lane.thresholds.seen is not None:
        tensors["thresholds.seen"] = lane.thresholds.seen
    tensors |= {f"{MEMORY}{name}": tensor for name, tensor in lane.chains.memory.items()}
    progress = {"steps": lane.progress.steps, "filled": lane.progress.filled}
    calm, slow = lane.waking.calm, lane.thresholds.slow
    clock = {**asdict(lane.clock), "taken": sorted(lane.clock.taken)}
    counts = {"calm": calm, "slow": slow, "progress": progress, "clock": clock}
    return tensors, counts | {"balance": lane.balance.age, "trust": lane.trust.value}


def _layout(tensor: Tensor) -> list[int]:
    """Return the dimensions in the order of their strides, largest first.

    Files hold contiguous tensors, but the noise that chains draw depends on their layout.
    """
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


def _laid_out(tensor: Tensor, layout: list[int] | None) -> Tensor:
    if layout is None:
        return tensor
    back = [layout.index(dimension) for dimension in range(tensor.dim())]
    return tensor.permute(layout).contiguous().permute(back)


def from_tensors(
    tensors: Mapping[str, Tensor],
    about: Mapping[str, Any],
    device: Device | None = None,
    opener: Opener | None = None,
) -> SessionState:
    """Return the session that `to_tensors` wrote; it continues with the same bits.

    Raises
    ------
    StudioError
        If weights are missing or have changed, or the tensors are not those of a session.
    """
    spec = spec_from(about["session"], device, opener)
    state = open_session(spec, restoring=True)
    where = state.device.name
    try:
        state.step, state.melting = _count(about["step"]), _count(about["melting"])
        state.heated = msgspec.convert(about.get("heated", 1.0), Heat)  # not in files of 0.1.0
        state.held, state.heats = _singled_out(about, len(state.lane.neurons))
        state.lessons_due = _count(about.get("lessons_due", 0))
        former = about.get("bfloat16_layers", about.get("halved", ()))  # of 0.1.0, and before it
        layers = about.get("checked_layers", former)
        # A network in own code is named by its file, which may have moved.
        names = {lane.network.sha256: lane.network.name for lane in state.lanes}
        state.checked_layers = frozenset(
            (names.get(h, str(name)), str(h), str(layer)) for name, h, layer in layers
        )
        # Not in files from before sessions kept pictures.
        state.pictures = from_session_file(tensors, about.get("pictures", ()))
        state.rest = _rest(state, about.get("rest"))
        layouts = about.get("layouts", {})  # not known of sessions of 0.1.0
        moved = {n: _laid_out(value.to(where), layouts.get(n)) for n, value in tensors.items()}
        parts = _lanes_of(moved, about)
        state.lanes = tuple(
            _restore(lane, own, counts, state)
            for lane, (own, counts) in zip(state.lanes, parts, strict=True)
        )
        generators = learner.tensors_under("generator.", tensors)
        state.generators = Generators.restore(state.seed, where, generators)
        learned = learner.tensors_under("learner.", tensors)
        if learned and state.discriminator is not None:
            state.learner = learner.from_tensors(state.discriminator.module, learned)
        # This state cannot be computed from step 0; the caller may add the file that contains it.
        state.origin = {"at": state.step}
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise StudioError(
            f"The stored session is incomplete or damaged ({error}); it cannot be continued."
        ) from None
    return state


def _lanes_of(
    tensors: Mapping[str, Tensor], about: Mapping[str, Any]
) -> list[tuple[Mapping[str, Tensor], Mapping[str, Any]]]:
    """Return each lane's tensors and counts."""
    if "lanes" in about:
        counts = enumerate(about["lanes"])
        return [
            (learner.tensors_under(f"lanes.{number}.", tensors), count) for number, count in counts
        ]
    first = [(tensors, about)]
    if "second" not in about:
        return first
    return [*first, (learner.tensors_under("second.", tensors), about["second"])]


def _restore(
    lane: Lane, tensors: Mapping[str, Tensor], about: Mapping[str, Any], state: SessionState
) -> Lane:
    x, counts = tensors["x"], about["progress"]
    memory = learner.tensors_under(MOMENTS, tensors) | learner.tensors_under(MEMORY, tensors)
    if any((kept.shape, kept.dtype) != (x.shape, x.dtype) for kept in memory.values()):
        raise ValueError("a kernel's memory that is not that of its chains' pixels")
    reached: dict[str, Any] = {name: tensors[f"progress.{name}"] for name in PROGRESS}
    reached["behind"] = tensors.get(BEHIND, lane.progress.behind)
    lane = with_trust(lane, Trust(about.get("trust", lane.trust.value)))
    lane = begin(with_clock(lane, _clock(about)), lane.chains.x, state.device, state.heat)
    restored = replace(
        lane,
        chains=kernels.State(x, memory),
        average=average.Average(*(tensors[f"average.{name}"] for name in AVERAGE)),
        progress=burn_in.BurnIn(
            steps=_count(counts["steps"]),
            filled=_count(counts["filled"]),
            most_behind=int(reached["behind"].max()),
            over=False,
            **reached,
        ),
        thresholds=Thresholds(
            tensors["thresholds.values"],
            tensors.get("thresholds.seen"),
            slow=bool(about.get("slow", False)),
        ),
        waking=_waking(tensors, about, len(x)),
    )
    if "balance.gamma" in tensors:  # older sessions have no photo statistics
        balance = Balance(tensors["balance.gamma"], _count(about["balance"]))
        restored = replace(restored, balance=balance)
    if lane.tempering is not None:
        found: dict[str, Any] = {name: tensors[f"tempering.{name}"] for name in TEMPERING}
        if not bool(((found["gap"] >= LEAST_GAP) & (found["gap"] <= MOST_GAP)).all()):
            raise ValueError("a ladder whose temperatures do not rise")
        restored = replace(restored, tempering=replace(lane.tempering, **found))
        _check_shapes("tempering", lane.tempering, restored.tempering)
        restored = tempered(restored, state.heat)
    for part in ("chains", "average", "progress", "thresholds", "waking", "balance"):
        _check_shapes(part, getattr(lane, part), getattr(restored, part))
    return restored


def _clock(about: Mapping[str, Any]) -> Clock:
    """Return a lane's position in its schedule; before there were schedules, it was not stored."""
    stored = about.get("clock", {})
    steps, held = _count(stored.get("steps", 0)), stored.get("held")
    held = None if held is None else min(_count(held), steps)
    behind = min(_count(stored.get("behind", 0)), steps)
    return Clock(steps, frozenset(map(str, stored.get("taken", ()))), held, behind)


def _rest(state: SessionState, value: Any) -> int | None:
    """Return the number of the picture towards which L2 pulls."""
    if value is None:
        return None
    number = _count(value)
    if state.pictures[number].shape != state.lane.network.pixels.shape:
        raise ValueError(f"a kept picture of {state.pictures[number].shape}")
    return number


def _singled_out(
    about: Mapping[str, Any], chains: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return what is done to some chains only: which are held, and their own heats."""
    held: tuple[int, ...] = msgspec.convert(about.get("held", ()), Held)
    heats: tuple[float, ...] = msgspec.convert(about.get("heats", ()), Heats)
    if list(held) != sorted({*held} & {*range(chains)}) or len(heats) not in (0, chains):
        raise ValueError("held or heated chains that do not exist")
    return held, heats


def _count(value: Any) -> int:
    """Return a number of steps; a ValueError if it cannot be one."""
    count: int = msgspec.convert(value, Count)
    return count


def _check_shapes(part: str, fresh: Any, restored: Any) -> None:
    """Check that tensors read from a file are as those of a new lane; a ValueError if not."""
    for name, tensor in vars(restored).items():
        like = vars(fresh)[name]
        # Of what was seen of the threshold so far, each row has one number per chain.
        drop = 1 if name == "seen" else 0
        if isinstance(tensor, Tensor) and isinstance(like, Tensor):
            there, here = ((t.shape[drop:], t.dtype) for t in (tensor, like))
            if there != here:
                raise ValueError(f"{part}.{name} of shape {tuple(tensor.shape)}, {tensor.dtype}")


def _waking(
    tensors: Mapping[str, Tensor], about: Mapping[str, Any], chains: int
) -> silent_neurons.Waking:
    if "waking.quiet" not in tensors:
        # An older version that did not guide silent chains wrote this session.
        return silent_neurons.begin(chains, tensors["x"].device, answered=True)
    quiet, answered, led = (tensors[f"waking.{name}"] for name in WAKING)
    return silent_neurons.Waking(quiet, answered, led, calm=bool(about["calm"]))
