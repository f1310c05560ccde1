"""What the gallery of modes asks a running session: a few small numbers for each chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ldam_studio.engine.schedule import is_coarse
from ldam_studio.explore.modes.features import Kind, compared_layer, edges, features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ldam_studio.engine.state import Lane, SessionState

AT_ONCE = 4
"""Most averages of which one look computes the network's features: a step's worth of work."""

STIRRING = ("heat", "heat_some", "melt", "restart", "restart_some", "seed", "start_from")
"""Changes after which chains go on to other images."""

TYPICAL = 4
"""Averages, the most typical ones, whose mean is a mode's picture; more would blur it."""


@dataclass(frozen=True)
class Wanted:
    """What one look asks for.

    Attributes
    ----------
    neuron, kind
        The neuron whose modes are meant, by its address, and what its averages are compared by.
    lane
        The number of the lane.
    features
        The chains whose averages are evaluated by the network, at most `AT_ONCE`; none if averages
        are compared by their pixels.
    pictures
        The modes, by number, whose pictures are wanted, with the chains that are in them.
    kept
        The modes, by number, that the session has kept and the gallery does not know, because they
        were found before it was open, with the numbers of the kept pictures.
    """

    neuron: str
    kind: Kind
    lane: int = 0
    features: tuple[int, ...] = ()
    pictures: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    kept: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Recalled:
    """A kept mode: what it is compared by, see `Look`, and its picture."""

    reduced: NDArray[np.float32]
    features: NDArray[np.float32] | None
    picture: NDArray[np.float16]


@dataclass(frozen=True)
class Look:
    """The averages of a lane's chains at one moment, reduced to what modes are made of.

    `counts` (chains,) are the numbers of samples; `steady` and `done` (chains,) say whether chains
    have settled, and whether they are burned in. `reduced` (chains, d) are the `edges` of the
    averages; `features` those of the network for some chains, by number. `pictures` are the means
    of modes' averages (C, H, W), float16. `hot` (chains,) marks those that melt, or are not yet at
    their last resolution: their averages are none of the neuron. `stirred` (chains,) are the steps
    before which they were last melted, or begun anew; -1 if the log, which begins at step `since`,
    knows of none.
    """

    wanted: Wanted
    step: int
    stirred: NDArray[np.int64]
    since: int
    neurons: tuple[str, ...]
    hot: NDArray[np.bool_]
    counts: NDArray[np.int64]
    steady: NDArray[np.bool_]
    done: NDArray[np.bool_]
    reduced: NDArray[np.float32]
    features: Mapping[int, NDArray[np.float32]]
    pictures: Mapping[int, NDArray[np.float16]]
    kept: Mapping[int, Recalled] = field(default_factory=dict)

    def is_undone_from(self, before: Look) -> bool:
        """Return whether the session has returned to an earlier moment since another look."""
        same = self.since == before.since and len(self.stirred) == len(before.stirred)
        return self.step < before.step or (same and bool((self.stirred < before.stirred).any()))


def look_at(state: SessionState, wanted: Wanted) -> Look:
    """Return what is wanted; called on the thread of the session, between two steps."""
    lane = state.lanes[min(wanted.lane, len(state.lanes) - 1)]
    mean = lane.average.mean
    counts = lane.average.count.cpu().numpy()
    chains, coarse = range(len(lane.neurons)), is_coarse(lane)
    hot = np.array([coarse or state.heat_of(chain) > 1 for chain in chains], bool)
    cool = np.where(hot, 0, counts)
    return Look(
        wanted=wanted,
        step=state.step,
        stirred=_stirred(state),
        since=int(state.origin.get("at", 0)),
        neurons=tuple(map(str, lane.neurons)),
        hot=hot,
        counts=counts,
        steady=lane.progress.steady.cpu().numpy(),
        done=lane.progress.done.cpu().numpy(),
        reduced=_reduced(lane),
        features=_features(lane, _some(wanted.features, cool), state),
        pictures={
            number: _mean(mean, _some(members, cool))
            for number, members in wanted.pictures.items()
            if _some(members, cool)
        },
        kept={} if coarse else _recalled(state, lane, wanted),
    )


def _recalled(state: SessionState, lane: Lane, wanted: Wanted) -> dict[int, Recalled]:
    """Return the kept modes that are wanted, as far as they are there, by the modes' numbers."""
    neurons = [str(neuron) for neuron in lane.neurons]
    if wanted.neuron not in neurons:
        return {}
    box, layer = lane.targets.fields[neurons.index(wanted.neuron)], compared_layer(lane.sized)
    size, found = (lane.sized.pixels.height, lane.sized.pixels.width), {}
    for mode, number in list(wanted.kept.items())[:AT_ONCE]:
        if number < len(state.pictures) and state.pictures[number].shape == lane.sized.pixels.shape:
            shown = state.pictures[number].at(size, state.device.name)[None]
            seen = None
            if wanted.kind == "features" and layer is not None:
                seen = _array(features(lane.sized, layer, shown, state.device.plan))[0]
            picture = shown[0].to(torch.float16).cpu().numpy()
            found[mode] = Recalled(_array(edges(shown, box))[0], seen, picture)
    return found


def _stirred(state: SessionState) -> NDArray[np.int64]:
    """Return before which step each chain was last made to go on to another image."""
    found = np.full(len(state.lane.neurons), -1, np.int64)
    for entry in state.log:
        if entry.name in STIRRING:
            found[list(_chains_of(entry.value, len(found)))] = entry.step
    return found


def _chains_of(value: Any, count: int) -> Iterable[int]:
    """Return the chains that a change in the log was for, of those there are now."""
    some = value.get("chains") if isinstance(value, Mapping) else value
    if not isinstance(some, list | tuple):
        return range(count)
    return [chain for chain in some if chain < count]


def _some(chains: Sequence[int], counts: NDArray[np.int64]) -> list[int]:
    """Return those of some chains that have an average."""
    return [chain for chain in chains if chain < len(counts) and counts[chain]]


def _reduced(lane: Lane) -> NDArray[np.float32]:
    """Return the edges of all averages; neurons of one layer see parts of equal size, mostly."""
    mean, fields = lane.average.mean, lane.targets.fields
    if len(set(fields)) == 1:
        return _array(edges(mean, fields[0]))
    each = [edges(mean[i : i + 1], box) for i, box in enumerate(fields)]
    longest = max(part.shape[1] for part in each)
    return _array(torch.cat([torch.nn.functional.pad(p, (0, longest - p.shape[1])) for p in each]))


def _features(
    lane: Lane, chains: Sequence[int], state: SessionState
) -> dict[int, NDArray[np.float32]]:
    layer = compared_layer(lane.sized)
    chains = chains[:AT_ONCE]
    if layer is None or not chains:
        return {}
    found = features(lane.sized, layer, lane.average.mean[list(chains)], state.device.plan)
    return dict(zip(chains, _array(found), strict=True))


def _mean(averages: Tensor, chains: Sequence[int]) -> NDArray[np.float16]:
    mean = averages[list(chains[:TYPICAL])].mean(0)
    return mean.to(torch.float16).cpu().numpy()


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.cpu().numpy()
    return array
