"""Using another discriminator, or returning the current one to its state when it was opened."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import unsettle
from ldam_studio.engine.discriminator import prepare_learner
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_discriminator(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Use another discriminator for all chains, or none."""
    if after.discriminator is not None:
        after.discriminator.module.to(state.device.name)
    state.discriminator = after.discriminator
    revert_discriminator(state, change, after, numbers)


def revert_discriminator(
    state: SessionState, _change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Discard what the discriminator has learned in this session."""
    state.learner = None
    prepare_learner(state)
    unsettle(state)
