"""When the discriminator of a session learns, and from which images."""

from __future__ import annotations

import torch

from ldam_studio.engine.state import SessionState
from ldam_studio.sampler.resize import resized
from ldam_studio.training.learner import LearnInfo, learn

SPREAD = 4
"""Steps between two of the discriminator's lessons that follow a change of weights. A lesson takes
as long as several steps, so frames are shown between lessons."""


def is_due(state: SessionState) -> bool:
    """Return whether the discriminator has to learn after this step."""
    due = state.learn_every > 0 and state.step % state.learn_every == 0
    return due or (state.lessons_due > 0 and state.step % SPREAD == 0)


def give(state: SessionState) -> LearnInfo | None:
    """Let the discriminator learn if a lesson is due at this step."""
    if not is_due(state):
        return None
    state.lessons_due = max(0, state.lessons_due - 1)
    if state.learner is None or state.real_images is None:
        return None
    # It learns from all lanes: chains that it has never seen would exploit it.
    size = state.real_images.shape[2], state.real_images.shape[3]
    # Hot chains of a ladder only help others to move.
    shown = [x.chains.x if x.tempering is None else x.chains.x[x.own_chains] for x in state.lanes]
    fake = torch.cat([resized(x, size) for x in shown])
    state.learner, lesson = learn(state.learner, state.real_images, fake)
    return lesson
