"""Previews: what a moved slider does to the front chain, shown while a long step is in progress.

With ten chains of a network for photographs a step may take a second. While it is in progress, the
front chain alone takes a step of its own from the present images, with the settings that wait for
the end of the step, and a frame shows it. The frame is all that is kept of it: the step in progress
is neither ended nor changed, random numbers are drawn from copies of the generators, and the
network is run by a module of its own. A thread of its own does that, while the step waits, since a
forward pass may be observed by modes of torch that see all that its thread computes. The session is
therefore exactly the same with and without previews, and a recipe need not know of them.

A step gives way where autograd saves a tensor in the forward pass, and where it needs it again in
the backward pass: once or twice in each layer. A network that cannot be run in this way, because
it uses torch.func, has no previews.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ldam_studio.engine.advance import advance
from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.changes.apply import apply
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.frame import Frame, LaneFrame, Trace
from ldam_studio.engine.lane import targets
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.networks.network import Network
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.schedule import at_present

SLOW_S = 0.04  # steps that take less are not worth it
REST = 0.3  # share of a preview's time for which the step in progress goes on before the next one


class Previews:
    """Makes previews within the steps of a session.

    Parameters
    ----------
    waiting
        Returns the changes of settings that wait for the end of the step and the number of the last
        of them, or None if there are none or commands wait, too, that do more than ask.
    wanted
        Takes the request for a frame of this chain; False if there is none.
    show
        Called with each frame.
    clock
        Returns the time in seconds.
    """

    def __init__(
        self,
        waiting: Callable[[], tuple[int, Sequence[Change]] | None],
        wanted: Callable[[int], bool],
        show: Callable[[Frame], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting, self._wanted, self._show, self._clock = waiting, wanted, show, clock
        self._last: Frame | None = None
        self._twins: dict[int, tuple[Network, Network]] = {}
        self._tried: tuple[object, ...] = ()  # plan, networks and layers
        self._works = False
        self._step_s = self._spent = 0.0
        self._shown, self._due, self._busy = 0, 0.0, False
        # Its thread starts with the first preview.
        self._pool = ThreadPoolExecutor(1, "preview")
        self.made = 0
        """Number of previews during the last step."""

    def close(self) -> None:
        """End the thread that makes previews."""
        self._pool.shutdown()

    def after(self, frame: Frame) -> None:
        """Remember the session's last own frame, of which a preview differs in the front image."""
        self._last = frame

    @contextmanager
    def within_step(self, state: SessionState) -> Iterator[None]:
        """Within, the thread takes a step of `state`, and previews are made meanwhile."""
        started, self.made = self._clock(), 0
        if self._step_s < SLOW_S or state.device.lag or not _can_be_shown(state):
            yield
            self._step_s = self._clock() - started
            return
        if not self._is_possible(state):
            yield
            return
        # From here on the lanes are those before the step, whatever the step does.
        before = replace(state)

        def pack(saved: Tensor) -> Tensor:
            self._look(before)
            return saved

        def unpack(saved: Tensor) -> Tensor:
            self._look(before)
            return saved

        self._spent = 0.0
        with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
            yield
        self._step_s = self._clock() - started - self._spent

    def _look(self, state: SessionState) -> None:
        """Make a preview if settings wait that none has shown yet."""
        if self._busy or self._last is None or self._clock() < self._due:
            return
        waiting = self._waiting()
        if waiting is None or waiting[0] == self._shown:
            return
        front = self._last.lanes[0].front
        if any(front not in lane.own_chains for lane in state.lanes):
            return  # alone, a hot chain of a ladder has no temperature
        if len(self._last.lanes) != len(state.lanes) or not self._wanted(front):
            return
        self._busy, started = True, self._clock()
        try:
            made = self._pool.submit(self._preview, state, front, waiting[1])
            self._show(made.result())
            self.made += 1
        except Exception:
            pass  # the step itself says what is wrong with these settings
        finally:
            self._busy, self._shown = False, waiting[0]
            now = self._clock()
            self._spent += now - started
            self._due = now + REST * (now - started)

    def _preview(self, state: SessionState, front: int, changes: Sequence[Change]) -> Frame:
        assert self._last is not None
        alone = self._front_of(state, front)
        for change in changes:
            apply(alone, _of_front(change, front))
        stepped, _ = advance(alone)
        lanes = zip(self._last.lanes, stepped.lanes, strict=True)
        return replace(
            self._last,
            marks=(),
            notices=(),
            lanes=tuple(_shown(frame, lane) for frame, lane in lanes),
        )

    def _front_of(self, state: SessionState, front: int) -> SessionState:
        """Return a session with one chain of another, from which it shares nothing that changes."""
        return replace(
            state,
            lanes=tuple(self._alone(lane, front, state) for lane in state.lanes),
            generators=state.generators.clone(),
            held=(0,) if front in state.held else (),
            heats=(state.heats[front],) if state.heats else (),
            log=[],
            unconfirmed=[],
            learn_every=0,
            discriminator_rounds=0,
            lessons_due=0,
        )

    def _alone(self, lane: Lane, chain: int, state: SessionState) -> Lane:
        """Return a lane with one of its chains, on a network with a module of its own."""
        settings, neurons = lane.settings.of_chains([chain]), (lane.neurons[chain],)
        x, device = lane.chains.x[chain : chain + 1], state.device
        _, twin = self._twins[id(lane.network)]
        return replace(
            lane,
            network=twin,
            sized=twin.at_side(lane.sized.pixels.side) or twin,
            neurons=neurons,
            settings=settings,
            tempering=None,
            targets=targets(lane.network, lane.sized, neurons, settings, trust=lane.trust),
            parameters=parameters_of(
                at_present(settings, lane.clock),
                1,
                device.name,
                state.heat_of(chain),
                device.arithmetic,
            ),
            chains=kernels.State(
                x, {name: each[chain : chain + 1] for name, each in lane.chains.memory.items()}
            ),
            average=average.init(x),
            progress=burn_in.init(1, device.name),
            thresholds=Thresholds(torch.full((1,), torch.nan, device=device.name)),
            waking=_of_chain(lane.waking, chain),
            balance=_of_chain(lane.balance, chain),
        )

    def _is_possible(self, state: SessionState) -> bool:
        """Return whether previews can be made; try it once for each plan and layer."""
        plan = state.device.plan
        key = (plan, *((id(lane.network), lane.targets.layer) for lane in state.lanes))
        if key == self._tried:
            return self._works
        self._tried, self._works = key, True
        try:
            self._twins = {id(x.network): (x.network, x.network.alongside()) for x in state.lanes}
            with torch.autograd.graph.saved_tensors_hooks(_same, _same):
                advance(self._front_of(state, 0))
        except Exception:
            self._works = False
        return self._works


def _same(saved: Tensor) -> Tensor:
    return saved


def _can_be_shown(state: SessionState) -> bool:
    """Return whether networks can be run for a preview without any effect on the session."""
    plain = all(lane.network.behaviour.is_plain for lane in state.lanes)
    return plain and len(state.lane.neurons) > 1


def _of_front(change: Change, front: int) -> Change:
    """Return a change with the value of one chain, if it has one for each."""
    value = change.value
    return replace(change, value=value[front % len(value)]) if isinstance(value, tuple) else change


def _of_chain(values: Any, chain: int) -> Any:
    """Return a dataclass of tensors (chains, ...) with those of one chain."""
    found = {field.name: getattr(values, field.name) for field in fields(values)}
    rows = {n: v[chain : chain + 1] for n, v in found.items() if isinstance(v, Tensor) and v.ndim}
    return replace(values, **rows)


def _shown(frame: LaneFrame, lane: Lane) -> LaneFrame:
    return replace(
        frame,
        raw=lane.chains.x[0].numpy(force=True),
        temperature=lane.parameters.temperature[0].item(),
        trace=Trace(**{f.name: getattr(frame.trace, f.name)[:0] for f in fields(Trace)}),
    )
