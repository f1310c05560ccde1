"""Kept pictures: keeping one, starting chains from one, and letting L2 pull towards one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine import photo_statistics
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes, start_anew, unsettle
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.lane import begin
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.silent_neurons import Waking
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.preconditioner import clouds


def keep_picture(
    state: SessionState, change: Change, after: Outline, _numbers: Sequence[int]
) -> None:
    """Keep an image that comes from outside, unless the session keeps it already."""
    if len(after.pictures) > len(state.pictures):
        state.pictures = (*state.pictures, change.value)


def change_rest(
    state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Let L2 pull towards a kept picture, or towards the rest colour."""
    state.rest = change.value
    unsettle(state)


def start_from(
    state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Begin chains at a kept picture; their averages and burn-in begin anew."""
    wanted: StartFrom = change.value
    picture = state.pictures[wanted.picture]

    def starts(lane: Lane) -> Tensor:
        return _starts(lane, picture, wanted.spread, state)

    if wanted.chains is None:
        start_anew(state, starts)
        return

    def started(lane: Lane, _number: int) -> Lane:
        which = torch.zeros(len(lane.neurons), dtype=torch.bool, device=state.device.name)
        which[list(wanted.chains or ())] = True
        return begin_some(lane, starts(lane), which, state)

    change_lanes(state, range(len(state.lanes)), started)


def _starts(lane: Lane, picture: KeptPicture, spread: float, state: SessionState) -> Tensor:
    """Return where each chain of a lane would begin, shape (chains, C, H, W)."""
    pixels = lane.sized.pixels
    x = picture.at((pixels.height, pixels.width), state.device.name)
    x = x.expand(len(lane.neurons), *x.shape)
    if not spread:
        return x.clone()
    noise = state.generators.normal("leave", tuple(x.shape))
    settings = lane.settings
    return x + spread * clouds(noise, settings.start_spectrum, settings.colour_correlation)


def begin_some(lane: Lane, x: Tensor, which: Tensor, state: SessionState) -> Lane:
    """Return the lane with some of its chains begun anew at x, and the others going on.

    Parameters
    ----------
    x
        Where chains begin, shape (chains, C, H, W) in the lane's present size.
    which
        The chains that begin, a mask of shape (chains,). What a kernel remembers of them is 0.
    """
    fresh = begin(lane, x, state.device, state.heat)
    column = which.reshape(-1, 1, 1, 1)
    memory = {
        name: tensor.masked_fill(which.reshape(-1, *[1] * (tensor.dim() - 1)), 0)
        for name, tensor in lane.chains.memory.items()
    }
    waking = Waking(
        lane.waking.quiet.masked_fill(which, 0),
        lane.waking.answered & ~which,
        lane.waking.led & ~which,
        calm=False,
    )
    return replace(
        lane,
        chains=kernels.State(torch.where(column, fresh.chains.x, lane.chains.x), memory),
        average=average.reset(lane.average, which),
        progress=burn_in.begin_again(lane.progress, which),
        waking=waking,
        # Measured in the next step: that of chains which go on is the same again.
        balance=photo_statistics.begin(len(which), state.device.name),
    )
