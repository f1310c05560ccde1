"""The gallery of modes: what chains have found since the gallery was opened, grouped by neuron.

Each chain contributes its average. A chain that melts, restarts, or turns to another neuron leaves
its last average behind as finished, and contributes another one once it has settled again: modes
that were found earlier stay. What is undone is forgotten, as if it had not happened.

The gallery needs no session: it is told what was seen (`Gallery.add`) and keeps small vectors.
Limits: `MOST` averages of each neuron, of which the oldest finished ones are dropped first, and
pictures of its largest modes, see `Found.shown`; of all neurons, `MOST_BYTES` of vectors and
pictures: beyond that, the neurons that were seen longest ago are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.explore.modes.features import Kind
from ldam_studio.explore.modes.found import Found
from ldam_studio.explore.modes.look import AT_ONCE, TYPICAL, Wanted
from ldam_studio.explore.modes.observations import ALIKE, RECALLED, Observation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldam_studio.explore.modes.look import Look
    from ldam_studio.explore.modes.observations import Mode
    from ldam_studio.explore.modes.regrouping import Grouped, Task

MOST = 1000
MOST_BYTES = 24 * 2**20
FEWEST = 30
"""Samples of a settled chain from which on its average counts."""
STILL = 50
"""Samples for which the average of a chain that has not settled stays alike until it counts: what
it shows is there long before its activation has stopped growing."""
PATIENCE = 300
"""Samples of a chain that never settles from which on its average counts in any case."""


class Gallery:
    """Collects averages, and the modes that grouping them has found."""

    def __init__(self) -> None:
        self._neurons: OrderedDict[str, Found] = OrderedDict()
        self._running: dict[int, Observation] = {}
        # What chains that do not count yet looked like, and at which number of samples.
        self._before: dict[int, tuple[int, NDArray[np.float32]]] = {}
        self._step = -1
        self._last: Look | None = None
        self._turn = 0
        self._numbers = count()

    def clear(self) -> None:
        """Forget everything, because another session is open."""
        self._neurons.clear()
        self._running.clear()
        self._before.clear()
        self._step, self._last = -1, None

    def add(self, look: Look, activation: Sequence[float] | None = None) -> None:
        """Take in what was seen of the chains, with their activations if they are known."""
        if self._last is not None and look.is_undone_from(self._last):
            self._go_back(look)
        self._last, self._step = look, look.step
        for chain in [chain for chain in self._running if chain >= len(look.neurons)]:
            self._finish(chain)
        self._recall(look)
        for chain, neuron in enumerate(look.neurons):
            self._see(chain, neuron, look, activation)
        known = self._neurons.get(look.wanted.neuron)
        if known is not None:
            known.pictures |= {(look.wanted.kind, n): p for n, p in look.pictures.items()}
        self._limit(look.neurons)

    def _see(self, chain: int, neuron: str, look: Look, activation: Sequence[float] | None) -> None:
        running, samples = self._running.get(chain), int(look.counts[chain])
        settled = bool(look.done[chain])
        if running is not None and (
            running.neuron != neuron
            or look.hot[chain]
            or look.stirred[chain] >= running.last
            or (samples < running.samples and not settled)
        ):
            running.ended_by = int(look.stirred[chain])
            self._finish(chain)
            running = None
        elif running is not None and samples < running.samples and not running.settled:
            # Samples before the end of burn-in were discarded; they count until there are others.
            running.anchor, running.calm = None, 0
        if look.hot[chain] or not np.isfinite(look.reduced[chain]).all():
            self._before.pop(chain, None)
            return
        if running is None:
            ready = settled and look.steady[chain] and samples >= FEWEST
            still = self._is_still(chain, samples, look.reduced[chain])
            if not ready and not still and samples < PATIENCE:
                return
            self._before.pop(chain, None)
            running = Observation(
                next(self._numbers),
                chain,
                neuron,
                look.step,
                look.step,
                samples,
                settled,
                look.reduced[chain],
                stirred=int(look.stirred[chain]),
            )
            self._running[chain] = running
            self._of(neuron).observations[running.number] = running
        if samples >= FEWEST and running.has_drifted(look.reduced[chain]):
            self._leave_behind(running)
            running.first = look.step
        running.last, running.samples = look.step, samples
        running.settled = running.settled or settled
        if samples >= FEWEST:  # after the average was reset, the former one counts for a while
            running.reduced = look.reduced[chain]
            running.features = look.features.get(chain, running.features)
        if activation is not None and chain < len(activation) and np.isfinite(activation[chain]):
            new, old = float(activation[chain]), running.activation
            running.activation = new if np.isnan(old) else old + 0.2 * (new - old)

    def _is_still(self, chain: int, samples: int, now: NDArray[np.float32]) -> bool:
        """Return whether a chain's average has looked alike for so many samples."""
        since, before = self._before.get(chain, (samples, now))
        if samples < since or before.shape != now.shape or float(before @ now) < ALIKE:
            since, before = samples, now
        self._before[chain] = since, before
        return samples - since >= STILL

    def _leave_behind(self, running: Observation) -> None:
        """Let a chain that has drifted to another image leave the former one as finished."""
        former = replace(running, number=next(self._numbers), ended=self._step)
        assert former.anchor is not None
        former.reduced = former.anchor
        known = self._of(running.neuron)
        known.observations[former.number] = former
        for modes in known.mode_of.values():
            if running.number in modes:
                modes[former.number] = modes.pop(running.number)
        running.anchor, running.calm, running.activation = None, 0, np.nan

    def _recall(self, look: Look) -> None:
        """Take in modes that were kept before the gallery was open, with the numbers they had."""
        neuron, kind = look.wanted.neuron, look.wanted.kind
        for mode, kept in look.kept.items():
            known = self._of(neuron)
            if mode in known.mode_of[kind].values():
                continue
            step = look.step
            found = Observation(
                next(self._numbers),
                RECALLED,
                neuron,
                step,
                step,
                0,
                settled=True,
                reduced=kept.reduced,
                features=kept.features,
                ended=RECALLED,
            )
            known.observations[found.number] = found
            known.mode_of[kind][found.number] = mode
            known.fresh[kind] = max(known.fresh[kind], mode + 1)
            known.pictures[kind, mode] = kept.picture

    def knows(self, neuron: str, kind: Kind, mode: int) -> bool:
        """Return whether a mode with this number was found, also one that was forgotten."""
        known = self._neurons.get(neuron)
        return known is not None and (
            (kind, mode) in known.forgotten or mode in known.mode_of[kind].values()
        )

    def _of(self, neuron: str) -> Found:
        found = self._neurons.setdefault(neuron, Found())
        self._neurons.move_to_end(neuron)
        return found

    def _finish(self, chain: int) -> None:
        self._running.pop(chain).ended = self._step

    def _go_back(self, look: Look) -> None:
        """Forget what was seen after the moment to which the session has returned."""
        self._running.clear()
        for neuron in self._neurons.values():
            for observation in list(neuron.observations.values()):
                if observation.chain == RECALLED:
                    continue
                there = observation.chain < len(look.stirred)
                stirred = int(look.stirred[observation.chain]) if there else -1
                if observation.first > look.step or observation.stirred > stirred:
                    del neuron.observations[observation.number]
                elif (
                    observation.ended is None
                    or observation.ended > look.step
                    or observation.ended_by > stirred
                ):
                    observation.ended, observation.ended_by, observation.samples = None, -1, 0
                    observation.last = min(observation.last, look.step)
                    self._running[observation.chain] = observation

    def _limit(self, present: Sequence[str]) -> None:
        """Drop what is more than the limits, the oldest first."""
        for neuron in self._neurons.values():
            finished = [
                n for n, o in neuron.observations.items() if o.ended not in (None, RECALLED)
            ]
            for number in finished[: max(0, len(neuron.observations) - MOST)]:
                del neuron.observations[number]
        held = {name: neuron.nbytes for name, neuron in self._neurons.items()}
        for name in [name for name in held if name not in present]:
            if sum(held.values()) > MOST_BYTES:
                del self._neurons[name], held[name]

    # Grouping

    def task(self, neuron: str, kind: Kind) -> Task | None:
        """Return what there is to group of a neuron; None without any average."""
        known = self._neurons.get(neuron)
        return None if known is None else known.task(neuron, kind)

    def take(self, found: Grouped) -> None:
        """Take in what grouping has found."""
        known = self._neurons.get(found.neuron)
        if known is not None:
            known.take(found)

    def modes(self, neuron: str, kind: Kind) -> tuple[Mode, ...]:
        """Return the modes of a neuron by their numbers."""
        known = self._neurons.get(neuron)
        return () if known is None else known.modes(kind)

    def shown(self, neuron: str, kind: Kind) -> tuple[Mode, ...]:
        """Return the modes of a neuron that have pictures, see `Found.shown`."""
        known = self._neurons.get(neuron)
        return () if known is None else known.shown(kind)

    def forget(self, neuron: str, kind: Kind, number: int) -> None:
        """Leave a mode out from now on, also of the shares; chains that show it do not count."""
        known = self._neurons.get(neuron)
        if known is not None:
            known.forgotten.add((kind, number))
            known.pictures.pop((kind, number), None)

    def wanted(self, neuron: str, kind: Kind, lane: int = 0, pictures: int = 2) -> Wanted:
        """Return what the next look asks for: missing pictures first, then the oldest ones."""
        known = self._neurons.get(neuron)
        if known is None:
            return Wanted(neuron, kind, lane)
        shown = known.shown(kind)
        seen = {mode.number: mode.chains for mode in shown if mode.chains}
        order = sorted(seen, key=lambda n: (known.asked.get((kind, n), -1), n))[:pictures]
        for number in order:
            known.asked[kind, number] = self._step
        kept = {mode.number for mode in shown}
        for key in [k for k in known.pictures if k[0] == kind and k[1] not in kept]:
            del known.pictures[key]
        return Wanted(
            neuron,
            kind,
            lane,
            self._to_evaluate(known) if kind == "features" else (),
            {number: seen[number][:TYPICAL] for number in order},
        )

    def _to_evaluate(self, known: Found) -> tuple[int, ...]:
        """Return running chains in the order in which their features are due."""
        running = [o for o in known.observations.values() if o.ended is None]
        running.sort(key=lambda o: (o.features is not None, (o.chain - self._turn) % 10_000))
        self._turn = running[0].chain + 1 if running else 0
        return tuple(o.chain for o in running[:AT_ONCE])
