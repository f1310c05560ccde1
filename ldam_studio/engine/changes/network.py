"""Another network: chains keep their neurons if it has them, and their pictures if they fit."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import turn_lanes
from ldam_studio.engine.discriminator import prepare_learner
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.prior import check_denoiser_for
from ldam_studio.engine.state import SessionState


def change_network(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Put another network into a lane; remove the discriminator if it takes other images."""
    for number in numbers:
        check_denoiser_for(change.value.pixels, after.lanes[number].settings, state.device)
    change.value.to(state.device.name)
    turn_lanes(state, numbers, after, anew=True)
    if after.discriminator is None:
        state.discriminator, state.learner = None, None
    state.rest = after.rest
    prepare_learner(state)
