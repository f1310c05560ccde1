"""`advance`: the only function that moves a session forward.

The window (which pauses and single-steps with a budget of 0 or 1), rendering, replay, discriminator
training and the paper's figures all call it. Replay calls it with the changes from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.engine import burn_in_threshold, field_checks, lessons, silent_neurons
from ldam_studio.engine.activation import activation_of, log_real_of
from ldam_studio.engine.balanced import balanced_of
from ldam_studio.engine.changes.apply import apply
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.compute.transfer import Arriving
from ldam_studio.engine.held import rested
from ldam_studio.engine.kept_modes import repelling_of
from ldam_studio.engine.lane import reheat
from ldam_studio.engine.noise import draw_for_lanes, draw_noise
from ldam_studio.engine.prior import draw_priors
from ldam_studio.engine.schedule import follow, is_coarse
from ldam_studio.engine.state import Lane, SessionState, Unconfirmed
from ldam_studio.engine.step_errors import fails, too_large, which_to_lower
from ldam_studio.engine.tempering import averaged, exchanged, mirrored
from ldam_studio.engine.unconfirmed import go_back, look_back, moment_of
from ldam_studio.errors import StudioError
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.behaviour.randomness import passes_seeded
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.sampler import average, burn_in, kernels
from ldam_studio.sampler.density import Density
from ldam_studio.sampler.objective import ValueAndGradient
from ldam_studio.sampler.prior import Prior
from ldam_studio.sampler.random import seed_for
from ldam_studio.sampler.schedule import begins_average, is_sampled
from ldam_studio.sampler.views import View
from ldam_studio.training.learner import LearnInfo


@dataclass(frozen=True)
class LaneInfo:
    """What one step measured in one lane; tensors have shape (chains,).

    `activation`, `real_probability` and `gradient_rms` belong to the pixels before the step.
    `acceptance` is None where the kernel accepts every step, see `kernels.Info`. `change` is how
    far the step's sample moved each average. `burned_in` is True for chains that finished their
    burn-in in this step; it is None if no chain can have finished.
    """

    activation: Tensor
    real_probability: Tensor | None
    gradient_rms: Tensor
    acceptance: Tensor | None
    change: Tensor
    burned_in: Tensor | None


@dataclass(frozen=True)
class StepInfo:
    """What happened in one call of `advance`.

    `lanes` is empty if no step was taken. `told` describes the changes that were made, `refused`
    has one sentence for each change that could not be made. `lesson` has the discriminator's losses
    if it learned.
    """

    step: int
    lanes: tuple[LaneInfo, ...] = ()
    told: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    lesson: LearnInfo | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """Short texts for the traces. Reading this property may wait for the device."""
        told = list(self.told)
        for number, lane in enumerate(self.lanes):
            whose = f"{lane_name(number)}: " if len(self.lanes) > 1 else ""
            if lane.burned_in is not None and (chains := _chains_in_words(lane.burned_in)):
                told.append(f"{whose}burned in: {chains}")
        return tuple(told)


class ChainsExploded(StudioError):
    """A chain's values became infinite or NaN; `state` is the last state with finite values."""

    def __init__(self, message: str, state: SessionState) -> None:
        super().__init__(message)
        self.state = state


@dataclass
class _Moved:
    lane: Lane
    info: kernels.Info
    burned_in: Tensor | None


class GivenUp(Exception):
    """Raised by the `between` callback of `advance` to abandon the step in progress."""


def advance(
    state: SessionState,
    changes: Sequence[Change] = (),
    budget: int = 1,
    between: Callable[[], None] = lambda: None,
    lag: int = 0,
) -> tuple[SessionState, StepInfo]:
    """Apply changes, then take `budget` (0 or 1) steps.

    `state` is consumed: its generators and learner are modified, so use only the state that is
    returned (`snapshot` makes a copy). A change that cannot be made has no effect and is reported
    in `StepInfo.refused`; the others take effect and are logged.

    `between` is called in the middle of the step. If it raises `GivenUp`, the step is abandoned:
    the result is the same as with a budget of 0, and the next step draws the same random numbers.

    With a `lag`, the host does not wait for the device. It checks whether a step went well only
    after `lag` further steps, or earlier if something is to be changed or learned. Before `state`
    is read, a call without changes and with a budget of 0 must confirm all steps. If a step did not
    go well, the steps after it are undone; the returned state then has a lower step number than
    earlier `StepInfo` objects. The steps themselves are the same with any `lag`.

    Raises
    ------
    ChainsExploded
        If a chain became non-finite in this step, or in an earlier step that was not yet confirmed.
        Its `state` has the changes, but not the step.
    StudioError
        If there is too little memory for the step, or if the network is the user's own code and
        raises an exception; `state` has the changes, but not the step.
    """
    told: list[str] = []
    refused: list[str] = []
    sound = bool(budget and not changes) or look_back(state)
    failure = "" if sound else which_to_lower(state)
    for change in changes:
        try:
            told.extend(apply(state, change))
        except StudioError as error:
            refused.append(str(error))
    if failure:
        raise ChainsExploded(failure, state)
    if not budget:
        return state, StepInfo(state.step, told=tuple(told), refused=tuple(refused))

    lane, before = state.lane, moment_of(state)
    try:
        told.extend(field_checks.check(state))
        priors = draw_priors(state.lanes, state.step, state.device, state.generators)
        drawn = draw_noise(state)
        seen = draw_for_lanes(state.lanes, state.generators)
        moved: list[_Moved] = []
        # All lanes draw the same, as they use the same noise.
        with passes_seeded(seed_for(state.seed, f"network/{state.step}")):
            for lane, noise, views, prior in zip(state.lanes, drawn, seen, priors, strict=True):
                moved.append(_rested(state, lane, _move(state, lane, noise, views, prior, between)))
        heat = state.heat_at(max(state.melting - 1, 0))
        later, marks = follow([m.lane for m in moved], state.device, heat)
    except GivenUp:
        go_back(state, before)
        return state, StepInfo(state.step, told=tuple(told), refused=tuple(refused))
    except Exception as error:
        go_back(state, before)
        if is_lack_of_memory(error):
            raise too_large(lane) from None
        if isinstance(error, StudioError) or not runs_code(lane.network.name):
            raise
        raise fails(lane, error) from None
    rms = tuple(m.info.gradient_rms for m in moved)
    state.unconfirmed.append(Unconfirmed(before, Arriving(_verdicts(moved)), rms))
    state.lanes = later
    state.step += 1
    if state.melting:
        state.melting -= 1
        if not state.melting:
            state.lanes = tuple(reheat(lane, state.device, state.heat) for lane in state.lanes)
            told.append("melt ends")
    told.extend(marks)
    here = state.step
    if not look_back(state, 0 if _must_be_known(state) else lag):
        raise ChainsExploded(which_to_lower(state), state)
    if state.step != here:
        return state, StepInfo(state.step)
    lesson = lessons.give(state)
    return state, StepInfo(
        state.step,
        tuple(_what_happened(m) for m in moved),
        told=tuple(told),
        refused=tuple(refused),
        lesson=lesson,
    )


def _what_happened(moved: _Moved) -> LaneInfo:
    return LaneInfo(
        activation=moved.info.activation,
        real_probability=moved.info.real_probability,
        acceptance=moved.info.acceptance,
        gradient_rms=moved.info.gradient_rms,
        change=moved.lane.average.change,
        burned_in=moved.burned_in,
    )


@torch.no_grad()
def _move(
    state: SessionState,
    lane: Lane,
    drawn: Mapping[str, Tensor],
    views: Sequence[View],
    prior: Prior | None,
    between: Callable[[], None],
) -> _Moved:
    """Take one step in one lane, then add the sample to its average."""
    balanced = balanced_of(lane, state.device, views, between)
    activation = balanced or activation_of(lane, state.device, views, between)
    leading = None
    if not lane.waking.calm:
        leading = silent_neurons.Leading(
            lane.waking,
            activation,
            lane.targets.field_size,
            exact=lane.parameters.mode == "exact",
        )
    sources: dict[str, ValueAndGradient] = {"network": leading or activation}
    if (log_real := log_real_of(state.discriminator_module, lane, state.device)) is not None:
        sources["discriminator"] = log_real
    density = Density(
        sources,
        rest=state.rest_of(lane),
        field_size=lane.targets.field_size,
        bounds=lane.bounds,
        unrooted=lane.parameters.unrooted,
        led=lambda: None if leading is None else leading.led,
        prior=prior,
        repelling=repelling_of(state, lane),
    )
    if balanced is None:  # otherwise each chain has its own density
        still = state.mask(state.held) if state.held else None
        cool = not (state.melting or state.heats) and state.heated == 1
        lane, density = exchanged(lane, drawn, density, still=still, adapting=cool)
    chains, info = lane.kernel.step(lane.chains, drawn, lane.parameters, density)
    if leading is not None and leading.led is not None:
        info = replace(info, gradient_rms=info.gradient_rms.masked_fill(leading.led, 0.0))
    if balanced is not None:
        lane = replace(lane, balance=balanced.balance)
        info = replace(info, activation=balanced.objective)
    settings = lane.settings
    # Not before the first frame, and not before the chains have their last resolution: burn-in
    # starts again there.
    measuring = lane.thresholds.wanted and not is_coarse(lane)
    if measuring and lane.progress.steps:
        units, crop = lane.targets.units, lane.targets.crop
        further = burn_in_threshold.proceed(
            lane.thresholds, lane.sized, units, crop, settings, state.device
        )
        lane = replace(lane, thresholds=further)
    sampled = (state.step + 1) % settings.thin == 0 and is_sampled(settings, lane.clock)
    limit = lane.thresholds.values
    if not lane.waking.calm:
        # A silent neuron's activation is steady, too; a NaN threshold is never passed.
        limit = limit.masked_fill(~lane.waking.answered, torch.nan)
    progress = burn_in.update(
        lane.progress,
        info.activation if sampled else None,
        limit,
        None if settings.burn_in == "auto" else int(settings.burn_in),
    )
    progress = mirrored(lane, progress)
    mean, new = lane.average, None
    if progress.done is not lane.progress.done:
        new = progress.done & ~lane.progress.done
        # The samples so far belong to the burn-in, not to the target distribution.
        mean = average.reset(mean, new)
    if sampled:
        if begins_average(settings, lane.clock):
            mean = average.reset(mean)
        mean = averaged(lane, mean, chains.x)
    return _Moved(replace(lane, chains=chains, average=mean, progress=progress), info, new)


def _rested(state: SessionState, before: Lane, moved: _Moved) -> _Moved:
    """Return what a step did if it leaves held chains as they were."""
    if not state.held:
        return moved
    held = state.mask(state.held)
    new = None if moved.burned_in is None else moved.burned_in & ~held
    return _Moved(rested(moved.lane, before, held), moved.info, new)


def _verdicts(moved: Sequence[_Moved]) -> Tensor:
    """Return two numbers per lane, (lanes, 2), that tell how a step went; see `Unconfirmed`.

    The first is a sum over the whole lane: it is finite only if all its terms are.
    """
    values = [
        value
        for m in moved
        for value in (m.lane.chains.x.sum() + m.info.activation.sum(), m.info.gradient_rms.min())
    ]
    return torch.stack(values).reshape(-1, 2)


def _must_be_known(state: SessionState) -> bool:
    """Return whether the host needs the step's outcome before it can continue."""
    return lessons.is_due(state) or not all(lane.waking.calm for lane in state.lanes)


def _chains_in_words(mask: Tensor) -> str:
    """Name the chains that are True in the mask, counted from 1 as in the window's strip."""
    numbers = [number for number, yes in enumerate(mask.tolist(), 1) if yes]
    if not numbers:
        return ""
    if len(numbers) == len(mask):
        return "all chains"
    if len(numbers) > 3:
        return f"{len(numbers)} chains"
    return ("chain " if len(numbers) == 1 else "chains ") + ", ".join(map(str, numbers))
