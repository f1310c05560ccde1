"""How often the discriminator learns."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.discriminator import prepare_learner
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_learning(
    state: SessionState, _change: Change, after: Outline, _numbers: Sequence[int]
) -> None:
    """Set when the discriminator learns, and prepare its learner if it does."""
    state.learn_every = after.learn_every
    state.discriminator_rounds = after.discriminator_rounds
    # A smaller number also limits the rounds that are still due.
    state.lessons_due = min(state.lessons_due, after.discriminator_rounds)
    prepare_learner(state)
