"""All state of a session in one value. Only this package makes or changes it.

A *lane* is (network, neurons, settings) with its chains; all lanes of a session are fed the same
noise. A session has one lane, or several that are compared; see `engine.comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.transfer import Arriving
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.silent_neurons import Waking
from ldam_studio.networks.anatomy.fields import Box, Crop
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler import kernels
from ldam_studio.sampler.average import Average, over_chains, pooled
from ldam_studio.sampler.burn_in import BurnIn
from ldam_studio.sampler.prepare import kernel_of
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.learner import LearnerState

MELT_HEAT = 100.0


@dataclass(frozen=True)
class Targets:
    """What a lane's neurons mean for its chains, worked out once per choice.

    `units` reads them off their layer's output, on the `crop` of the image that all of them need if
    there is one. `groups` (chains,) has the same number for the same neuron. `fields` is what each
    one sees (None: the whole image), `field_size` the number of pixel values in it: a number, or
    (chains,) where it differs.
    """

    layer: str
    units: Units
    crop: Crop | None
    groups: Tensor
    fields: tuple[Box | None, ...]
    field_size: int | Tensor


@dataclass(frozen=True)
class Lane:
    """Chains that look at one layer of one network under one group of settings."""

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings
    targets: Targets
    parameters: kernels.Parameters
    chains: kernels.State
    average: Average
    progress: BurnIn
    thresholds: Thresholds
    waking: Waking

    @property
    def kernel(self) -> kernels.Kernel:
        """What moves the chains."""
        return kernel_of(self.settings)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Where pixels are clamped to, if they are."""
        return self.network.pixels.bounds if self.settings.clamp else None

    def activation(self, x: Tensor) -> Tensor:
        """Return each chain's neuron at pixels x (chains, C, H, W), running only what it sees."""
        crop = self.targets.crop
        return self.network.activation(x if crop is None else crop.cut(x), self.targets.units)

    def shown_average(self) -> Average:
        """Return the average that the settings ask for: over time, chains, or both."""
        over = self.settings.average_over
        if over == "chains":
            return over_chains(self.chains.x, self.targets.groups)
        return pooled(self.average, self.targets.groups) if over == "both" else self.average


@dataclass(frozen=True)
class LogEntry:
    """A change as it took effect: before step `step`, in JSON's types, for one lane or all.

    `before` has the values that a setting had in these lanes; it is not written down, so that None
    means that they are not known.
    """

    step: int
    name: str
    value: Any
    lane: int | None = None
    before: tuple[Any, ...] | None = field(default=None, compare=False)

    def json(self) -> list[Any]:
        """Return it as it is written down, without a lane where it is for all of them."""
        entry = [self.step, self.name, self.value]
        return entry if self.lane is None else [*entry, self.lane]


@dataclass(frozen=True)
class Moment:
    """What a step changes, as it was before; `sources` are the states of its generators."""

    step: int
    lanes: tuple[Lane, ...]
    melting: int
    sources: Mapping[str, Tensor]


@dataclass(frozen=True)
class Unconfirmed:
    """A step whose outcome the host has not seen.

    `verdicts`, (lanes, 2), has a sum that is finite only if all of a lane is, and the least of its
    chains' `gradient_rms`, which are those of each lane.
    """

    before: Moment
    verdicts: Arriving
    gradient_rms: tuple[Tensor, ...]


@dataclass
class SessionState:
    """A session between two steps.

    Attributes
    ----------
    origin
        How the log begins: the description of the opening session (JSON), or of the snapshot that
        the log goes on from.
    log
        Every change since `origin`.
    melting
        Steps left at `MELT_HEAT` times the temperature.
    unconfirmed
        The last steps, oldest first, of which is not known yet whether all went well.
    learner
        What the discriminator has learned here; None while it is the one that was opened.
    discriminator_rounds, lessons_due
        Rounds that it learns after each change of weights, and those still to come.
    bfloat16_layers
        Layers (name and SHA-256 of the network, layer) whose gradients bfloat16 was seen to keep.
    """

    seed: int
    step: int
    lanes: tuple[Lane, ...]
    device: Device
    generators: Generators
    discriminator: DiscriminatorModel | None = None
    learner: LearnerState | None = None
    learn_every: int = 0
    discriminator_rounds: int = 0
    lessons_due: int = 0
    data: Path | None = None
    real_images: Tensor | None = None
    melting: int = 0
    origin: dict[str, Any] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)
    unconfirmed: list[Unconfirmed] = field(default_factory=list)
    bfloat16_layers: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def lane(self) -> Lane:
        """The first lane."""
        return self.lanes[0]

    @property
    def outline(self) -> Outline:
        """How the session is set."""
        return Outline(
            tuple(LaneOutline(lane.network, lane.neurons, lane.settings) for lane in self.lanes),
            seed=self.seed,
            device=self.device,
            discriminator=self.discriminator,
            learn_every=self.learn_every,
            discriminator_rounds=self.discriminator_rounds,
            data=self.data,
        )

    @property
    def heat(self) -> float:
        """What multiplies the temperature at this moment."""
        return MELT_HEAT if self.melting else 1.0

    @property
    def discriminator_module(self) -> torch.nn.Module | None:
        """The discriminator in use: what was learned here, else what was opened."""
        if self.learner is not None:
            return self.learner.module
        return None if self.discriminator is None else self.discriminator.module


def snapshot(state: SessionState) -> SessionState:
    """Return an independent copy.

    Tensors of lanes are never changed in place, so lanes can be shared; generators, learner and
    log are copied.
    """
    return replace(
        state,
        generators=state.generators.clone(),
        learner=None if state.learner is None else state.learner.clone(),
        log=list(state.log),
        unconfirmed=list(state.unconfirmed),
    )
