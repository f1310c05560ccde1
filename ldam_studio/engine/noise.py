"""Drawing the random numbers of a step for the kernels of all lanes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ldam_studio.engine.state import SessionState
from ldam_studio.sampler.random import Generators


def sources_of(state: SessionState) -> list[str]:
    """Return the names of the random sources that the next step's kernels use, each once."""
    return list(dict.fromkeys(s for lane in state.lanes for s in lane.kernel.draws(lane.chains)))


def draw_noise(state: SessionState) -> list[Mapping[str, Tensor]]:
    """Draw this step's numbers of each source, for each lane.

    All lanes use the same noise. Where schedules have given them images of several sizes, those of
    each size read the same random numbers as the first lane.
    """
    names, first = sources_of(state), state.lane.chains.x
    sizes = {lane.chains.x.shape: lane.chains.x for lane in state.lanes}
    before = state.generators.clone() if len(sizes) > 1 else state.generators
    drawn = {first.shape: _draw(names, first, state.generators)}
    for shape, like in sizes.items():
        if shape != first.shape:
            drawn[shape] = _draw(names, like, before.clone())
    return [drawn[lane.chains.x.shape] for lane in state.lanes]


def _draw(names: list[str], like: Tensor, generators: Generators) -> Mapping[str, Tensor]:
    return {name: generators.draw(name, like) for name in names}
