"""Another discriminator, or the one that was opened again, without what it learned here."""

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
    """Let the chains see another discriminator, or none."""
    if after.discriminator is not None:
        after.discriminator.module.to(state.device.name)
    state.discriminator = after.discriminator
    revert_discriminator(state, change, after, numbers)


def revert_discriminator(
    state: SessionState, _change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Forget what the discriminator learned here."""
    state.learner = None
    prepare_learner(state)
    unsettle(state)
