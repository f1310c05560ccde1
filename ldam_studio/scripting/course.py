"""A session on its way, step by step: the one loop of commands and scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from ldam_studio.engine.advance import StepInfo, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.explore.agreement.neurons import NeuronVerdict, verdicts_of
from ldam_studio.scripting.interrupt import interruptible

OnStep = Callable[[int, int], object]
"""Called with the number of steps done and of all steps; the run ends if it returns False."""


@dataclass(frozen=True)
class Sampled:
    """A session after its steps.

    Attributes
    ----------
    state
        The session.
    activation
        One (chains,) tensor for each step, for the pixels before it; empty unless kept.
    seconds
        How long the steps took.
    interrupted
        Whether it ended early, for example by Ctrl-C.
    began_anew
        Whether averages of chains that were not burned in were reset at half time.
    agreement
        Whether the chains of each neuron of the first network agree; empty for a frame on the way.
    """

    state: SessionState
    activation: list[Tensor]
    seconds: float
    interrupted: bool = False
    began_anew: bool = False
    agreement: tuple[NeuronVerdict, ...] = ()


class Course:
    """Takes a session's steps, one at a time.

    After half of them, the averages of chains that are not burned in are reset, so that a chain
    that never burns in shows the average of the last half.

    Parameters
    ----------
    state
        The session, which is consumed as by `advance`.
    steps
        How many steps there are; None for no end, without half time.
    keep_activation
        Whether the activation of each step is kept.
    """

    def __init__(
        self, state: SessionState, steps: int | None, *, keep_activation: bool = True
    ) -> None:
        self.state, self.steps = state, steps
        thin = state.lane.settings.thin
        half = 0 if steps is None else steps // 2
        # Without a sample after it, there would be no average at all.
        self._half = half if steps is not None and steps // thin * thin > half else -1
        self._keeps = keep_activation
        self._activation: list[Tensor] = []
        self._seconds = 0.0

    @property
    def ended(self) -> bool:
        """Whether all steps were taken."""
        return self.steps is not None and self.state.step >= self.steps

    def step(self) -> StepInfo:
        """Take a step, and return what happened.

        Raises
        ------
        StudioError
            If a chain becomes infinite or NaN.
        """
        began = time.monotonic()
        forget = [Change("reset_average", "unfinished")] if self.state.step == self._half else []
        self.state, info = advance(self.state, forget)
        if info.refused:
            raise StudioError(info.refused[0])
        if self._keeps and info.lanes:
            self._activation.append(info.lanes[0].activation)
        self._seconds += time.monotonic() - began
        return info

    def run(self, on_step: OnStep) -> Sampled:
        """Take the steps that are left, or fewer if Ctrl-C is pressed or `on_step` ends them."""
        recorder = Recorder(wanted=True)
        recorder(self.state, None)
        with interruptible() as wish:
            while not self.ended and not wish.stop:
                recorder(self.state, self.step())
                if on_step(self.state.step, self.steps or 0) is False:
                    break
        over_time = self.state.lane.settings.average_over == "time"
        agreement = verdicts_of(recorder.records()[0], over_time=over_time)
        sampled = self._sampled(self.state)
        return replace(sampled, interrupted=not self.ended, agreement=agreement)

    def so_far(self) -> Sampled:
        """Return what was sampled up to now; the next one has only the activation since then."""
        sampled = self._sampled(snapshot(self.state))
        self._activation = []
        return sampled

    def _sampled(self, state: SessionState) -> Sampled:
        began_anew = 0 <= self._half < state.step
        return Sampled(state, self._activation, self._seconds, began_anew=began_anew)
