"""Keeping the mean of some chains' averages as a mode of their neuron, and forgetting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import unsettle
from ldam_studio.engine.kept_modes import KeptMode, repels
from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.sampler.resize import resized


def keep_mode(state: SessionState, change: Change, after: Outline, numbers: Sequence[int]) -> None:
    """Keep the mean of the averages of some chains, each of which counts alike.

    Raises
    ------
    StudioError
        If one of the chains has no average yet, or its values are no numbers.
    """
    wanted: KeptMode = change.value
    lane, chains = state.lanes[numbers[0]], list(wanted.chains)
    if not bool(lane.average.count[chains].all()):
        raise StudioError(
            "A mode cannot be kept before each of its chains has an average; run them on, then "
            "keep it."
        )
    pixels = lane.network.pixels
    mean = lane.average.mean[chains].mean(0, keepdim=True)
    kept = KeptPicture(
        resized(mean, (pixels.height, pixels.width))[0],
        wanted.title,
        after.pictures[-1].origin,
        pixels.bounds,
        float(pixels.rest),
    )
    state.pictures = (*state.pictures, kept)
    _unsettle(state)


def forget_mode(
    state: SessionState, change: Change, after: Outline, _numbers: Sequence[int]
) -> None:
    """Let a kept mode be an ordinary picture again, from which no chain is pushed away."""
    number = change.value
    former = replace(state.pictures[number], origin=after.pictures[number].origin)
    state.pictures = (*state.pictures[:number], former, *state.pictures[number + 1 :])
    _unsettle(state)


def _unsettle(state: SessionState) -> None:
    """Mark chains as settling if kept modes push them away."""
    if any(repels(lane) for lane in state.lanes):
        unsettle(state)
