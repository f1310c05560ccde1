"""Records the activation and the projections of every chain, as an observer of a session's steps.

A record belongs to one target distribution: whatever changes it, or moves the chains otherwise
than by steps, starts the record anew. A record changes nothing in the session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.engine.advance import StepInfo
from ldam_studio.engine.compute.transfer import to_host
from ldam_studio.engine.recording.projections import PROJECTIONS, Projections
from ldam_studio.engine.recording.rows import Rows
from ldam_studio.engine.schedule import is_moving
from ldam_studio.engine.state import Lane, LogEntry, SessionState
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import SETTINGS, is_of_chains

WITHOUT_EFFECT = ("plan", "precision", "picture")  # changes that move no chain
LONGEST_STEP_S = 60.0  # a longer time between two rows was spent paused


@dataclass(frozen=True)
class Record:
    """What the chains of a lane did since their target last changed.

    Attributes
    ----------
    step
        The session's step when the record was read.
    steps, values
        The steps (n,), and after each of them the activation and the projections of every chain,
        (n, chains, 1 + `PROJECTIONS`).
    neurons, labels
        The neuron of each chain, and its name in words.
    groups
        Equal numbers for chains of one target, the same neuron with the same settings, (chains,).
    starts
        Equal numbers for chains that began at the same image, (chains,).
    burned_in
        The step at which each chain's burn-in ended, -1 if it has not, (chains,).
    dead
        The chains whose neurons give no gradient, (chains,).
    hot
        The chains that only help colder ones of their ladder, (chains,).
    moved
        Whether the record begins with a moved setting, and not with a start of the chains.
    stride
        Every how many samples one was kept.
    seconds
        How long the chains ran for this record.
    scheduled, melting, learning
        Whether a schedule changes settings, the chains are melting, or the discriminator learns.
    """

    step: int
    steps: NDArray[np.int64]
    values: NDArray[np.float32]
    neurons: tuple[Neuron, ...]
    labels: tuple[str, ...]
    groups: NDArray[np.int64]
    starts: NDArray[np.int64]
    burned_in: NDArray[np.int64]
    dead: NDArray[np.bool_]
    hot: NDArray[np.bool_]
    moved: bool
    stride: int
    seconds: float
    scheduled: bool
    melting: bool
    learning: bool


class Recorder:
    """Observes a session (see `Inbox.observe`); it records while `wanted` is set.

    Without that it only notes which chains began at the same image; a record then has a gap.
    `records` may be called from any thread.
    """

    def __init__(self, *, wanted: bool = False) -> None:
        self.wanted = wanted
        self._lock = threading.Lock()
        self._step = 0
        self._lanes: list[_LaneRecord] = []
        self._log: list[LogEntry] | None = None
        self._read: tuple[int, LogEntry | None] = (0, None)

    @property
    def step(self) -> int:
        """The last step that was taken in."""
        return self._step

    def __call__(self, state: SessionState, info: StepInfo | None) -> None:
        """Take in the state after changes or a step; `info` is None after an undo."""
        with self._lock:
            self._step = state.step
            if info is None or self._log is not state.log or len(state.lanes) != len(self._lanes):
                self._lanes = [_LaneRecord() for _ in state.lanes]
                self._log, self._read = state.log, _end(state.log)
            read, last = self._read
            # The last entry is replaced if the same setting is changed twice between two steps.
            again = bool(read) and (read > len(state.log) or state.log[read - 1] is not last)
            news = state.log[read - again :]
            self._read = _end(state.log)
            for number, (record, lane) in enumerate(zip(self._lanes, state.lanes, strict=True)):
                record.follow(lane, [e for e in news if e.lane in (None, number)], state.step)
                if self.wanted and info is not None and number < len(info.lanes):
                    record.add(state, lane, info.lanes[number].activation)

    def records(self) -> tuple[Record, ...]:
        """Return a copy of the record of each lane; empty before the first step."""
        with self._lock:
            found = [record.copy() for record in self._lanes]
        return tuple(record for record in found if record is not None)


def _end(log: Sequence[LogEntry]) -> tuple[int, LogEntry | None]:
    return len(log), log[-1] if log else None


class _LaneRecord:
    """The record of one lane."""

    def __init__(self) -> None:
        self._projections = Projections()
        self._rows: Rows | None = None
        self._x: Tensor | None = None
        self._step = 0
        self._starts: NDArray[np.int64] | None = None
        self._done: Tensor | None = None
        self._burned_in: Tensor | None = None
        self._seconds, self._last_time = 0.0, 0.0
        self._moved = False
        self._lane: Lane | None = None
        self._melting = self._scheduled = self._learning = False

    def follow(self, lane: Lane, news: Sequence[LogEntry], step: int) -> None:
        """Start anew if something has changed the target, or replaced the chains' images."""
        x = lane.chains.x
        replaced = self._x is None or (step == self._step and x is not self._x)
        resized = self._x is not None and x.shape != self._x.shape
        if replaced or resized or any(not _keeps_start(entry) for entry in news):
            self._begin(moved=False)
            if replaced or resized or self._starts is None:
                self._starts = _starts(x, self._x, self._starts)
        elif any(_moves(entry) for entry in news):
            self._begin(moved=True)
        if step < self._step and self._rows is not None:
            self._rows.go_back_to(step)
        self._x, self._step, self._lane = x, step, lane

    def _begin(self, *, moved: bool) -> None:
        self._rows, self._moved, self._seconds = None, moved, 0.0
        if not moved:
            self._done = self._burned_in = None

    def add(self, state: SessionState, lane: Lane, activation: Tensor) -> None:
        """Add a row after a step, unless its images are no sample."""
        if state.step % lane.settings.thin:
            return
        melting = state.melting > 0 or max(state.heated, *state.heats, 1.0) > 1
        scheduled = is_moving(lane)
        if (melting, scheduled) != (self._melting, self._scheduled):
            self._begin(moved=False)
            self._melting, self._scheduled = melting, scheduled
        self._learning = state.learner is not None and state.learn_every > 0
        if self._rows is None:
            self._rows = Rows(len(lane.neurons), 1 + PROJECTIONS)
            self._last_time = time.monotonic()
        with torch.no_grad():
            projected = self._projections.of(lane.chains.x, lane.targets.fields)
            self._rows.add(state.step, torch.cat([activation[:, None].float(), projected], dim=1))
        done = lane.progress.done
        if done is not self._done:
            before = torch.full_like(done, -1, dtype=torch.int64)
            if self._burned_in is not None:
                before = self._burned_in
            self._burned_in = torch.where(done & (before < 0), state.step, before)
            self._done = done
        now = time.monotonic()
        self._seconds += min(now - self._last_time, LONGEST_STEP_S)
        self._last_time = now

    def copy(self) -> Record | None:
        """Return a copy of what was recorded."""
        lane, rows = self._lane, self._rows
        if lane is None or self._starts is None:
            return None
        chains = len(lane.neurons)
        steps, values = (
            (np.empty(0, np.int64), np.empty((0, chains, 1 + PROJECTIONS), np.float32))
            if rows is None
            else rows.copy()
        )
        here = to_host(
            {"dead": lane.waking.dead}
            | ({} if self._burned_in is None else {"burned_in": self._burned_in})
        )
        return Record(
            step=self._step,
            steps=steps,
            values=values,
            neurons=lane.neurons,
            labels=tuple(lane.network.label(neuron) for neuron in lane.neurons),
            groups=groups_of(lane),
            starts=self._starts,
            burned_in=here.get("burned_in", np.full(chains, -1)),
            dead=here["dead"],
            hot=_hot(lane),
            moved=self._moved,
            stride=1 if rows is None else rows.stride,
            seconds=self._seconds,
            scheduled=self._scheduled,
            melting=self._melting,
            learning=self._learning,
        )


def groups_of(lane: Lane) -> NDArray[np.int64]:
    """Return equal numbers for chains of one target: neuron and settings, (chains,)."""
    chains = len(lane.neurons)
    names = [field.name for field in fields(lane.settings) if SETTINGS[field.name].unsettles]
    values = [getattr(lane.settings, name) for name in names]
    apart = [value for value in values if isinstance(value, tuple) and len(value) == chains]
    keys = [(lane.neurons[i], *(value[i] for value in apart)) for i in range(chains)]
    if lane.tempering is not None:  # the chains of other rungs have other temperatures
        keys = [(*key, rung) for key, rung in zip(keys, lane.tempering.ladders.rungs, strict=True)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys])


def _hot(lane: Lane) -> NDArray[np.bool_]:
    if lane.tempering is None:
        return np.zeros(len(lane.neurons), bool)
    return np.array(lane.tempering.ladders.rungs) > 0


def _keeps_start(entry: LogEntry) -> bool:
    return entry.name in WITHOUT_EFFECT or is_of_chains(entry.name)


def _moves(entry: LogEntry) -> bool:
    return is_of_chains(entry.name) and SETTINGS[entry.name].unsettles


def _starts(
    x: Tensor, before: Tensor | None, former: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Return equal numbers for chains that began at one image, (chains,).

    Chains whose images were there `before` keep their `former` numbers; the others begin now.
    """
    numbers: dict[bytes, int] = {}
    if before is not None and former is not None and before.shape[1:] == x.shape[1:]:
        numbers = dict(zip(_keys(before), former.tolist(), strict=True))
    fresh = max(numbers.values(), default=-1) + 1
    found = []
    for key in _keys(x):
        if key not in numbers:
            numbers[key] = fresh
            fresh += 1
        found.append(numbers[key])
    return np.array(found)


def _keys(x: Tensor) -> list[bytes]:
    """Return what tells images (chains, C, H, W) apart."""
    projected = to_host({0: Projections().of(x, (None,) * len(x))})[0]
    # One image in two rows of a product may differ in its last bits.
    return [row.tobytes() for row in np.round(projected, 4) + 0.0]
