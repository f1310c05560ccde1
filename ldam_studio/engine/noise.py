"""Drawing the random numbers of a step: the noise and the views of all lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.engine.tempering import SOURCE
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.views import View, draw_views, share_seen, sources_of_views


def sources_of(state: SessionState) -> list[str]:
    """Return the names of the random sources that the next step's kernels use, each once."""
    kernels = (s for lane in state.lanes for s in lane.kernel.draws(lane.chains))
    exchanges = (SOURCE for lane in state.lanes if lane.tempering is not None)
    return list(dict.fromkeys((*kernels, *exchanges)))


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


def sources_of_lanes(lanes: Sequence[Lane]) -> list[str]:
    """Return the names of the random sources of all lanes' views, each once."""
    return list(dict.fromkeys(s for lane in lanes for s in sources_of_views(lane.settings)))


def draw_for_lanes(lanes: Sequence[Lane], generators: Generators) -> list[tuple[View, ...]]:
    """Draw this step's views for each lane.

    All lanes read the same random numbers, so that lanes with equal settings see their images in
    the same views.
    """
    before = {name: generators[name].get_state() for name in sources_of_lanes(lanes)}
    drawn = []
    for lane in lanes:
        for name in sources_of_views(lane.settings):
            generators[name].set_state(before[name])
        pixels, sizes = lane.sized.pixels, tuple(lane.targets.sizes)
        size, full = (pixels.height, pixels.width), lane.network.pixels.side
        share = share_seen(lane.targets.fields, size)
        drawn.append(draw_views(lane.settings, size, generators, sizes, full, share))
    return drawn


def _draw(names: list[str], like: Tensor, generators: Generators) -> Mapping[str, Tensor]:
    return {name: generators.draw(name, like) for name in names}
