"""All state of a session in one value. Only this package creates or changes it.

A *lane* consists of a network, neurons and settings with their chains. A session has one lane, or
several that are compared (see `engine.comparison`); all of them use the same noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldam_studio.engine.burn_in_threshold import Thresholds
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.transfer import Arriving
from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.photo_statistics import Balance
from ldam_studio.engine.silent_neurons import Waking
from ldam_studio.engine.trust import Trust
from ldam_studio.networks.anatomy.class_values import ACTIVATION
from ldam_studio.networks.anatomy.crops import Crop
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler import kernels
from ldam_studio.sampler.average import Average, of_chains, over_chains, pooled
from ldam_studio.sampler.burn_in import BurnIn
from ldam_studio.sampler.prepare import Heat, kernel_of
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.schedule import Clock
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.tempering import Tempering
from ldam_studio.training.learner import LearnerState

MELT_HEAT = 100.0


@dataclass(frozen=True)
class Targets:
    """Properties of a lane's neurons that are computed once for each choice of neurons.

    `units` evaluates the neurons from their layer's output; if there is a `crop`, only that part of
    the image has to be evaluated. `groups` (chains,) has equal numbers for equal neurons. `fields`
    has the receptive field of each neuron (None: the whole image). `field_size` is the number of
    pixel values in it, a single number or (chains,) if it differs. `sizes` has the units for each
    size (height, width) at which a random view may show the images; it is empty if views keep the
    size.
    """

    layer: str
    units: Units
    crop: Crop | None
    groups: Tensor
    fields: tuple[Box | None, ...]
    field_size: int | Tensor
    sizes: Mapping[tuple[int, int], Units] = field(default_factory=dict)


@dataclass(frozen=True)
class Lane:
    """Chains of one network that look at one layer and share their settings.

    `sized` is the network for images of the chains' present size, see `Network.at_side`. `targets`
    belong to it. `clock` is the chains' position in their schedule, see `sampler.schedule`. `trust`
    is what is believed of the neurons' receptive fields, see `engine.field_checks`. `tempering` has
    the ladders of temperatures; None without any.
    """

    network: Network
    sized: Network
    neurons: tuple[Neuron, ...]
    settings: Settings
    targets: Targets
    parameters: kernels.Parameters
    chains: kernels.State
    average: Average
    progress: BurnIn
    thresholds: Thresholds
    waking: Waking
    balance: Balance
    trust: Trust
    clock: Clock = field(default_factory=Clock)
    tempering: Tempering | None = None

    @property
    def kernel(self) -> kernels.Kernel:
        """The kernel that moves the chains."""
        return kernel_of(self.settings)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest pixel value if pixels are clamped, otherwise None."""
        return self.network.pixels.bounds if self.settings.clamp else None

    @property
    def objective(self) -> str:
        """What is made large, by its name in the setting *Objective*."""
        value = self.targets.units.class_value
        return ACTIVATION if value is None else value.name

    def activation(self, x: Tensor) -> Tensor:
        """Return what is made large of each chain's neuron at pixels x (chains, C, H, W).

        Only the part of the image that the neurons see is evaluated.
        """
        crop = self.targets.crop
        return self.sized.activation(x if crop is None else crop.cut(x), self.targets.units)

    def shown_average(self) -> Average:
        """Return the average that the settings select: over time, over chains, or both."""
        over, found = self.settings.average_over, self.average
        ladders = None if self.tempering is None else self.tempering.ladders
        if over == "chains":
            counted = None if ladders is None else ladders.is_cold
            found = over_chains(self.chains.x, self.averaged_together, counted)
        elif over == "both":
            found = pooled(found, self.averaged_together)
        # A hot chain shows the average of the coldest of its ladder.
        return of_chains(found, ladders.cold) if ladders else found

    @property
    def averaged_together(self) -> Tensor:
        """Equal numbers for chains of one neuron in one averaging group, (chains,)."""
        groups, own = self.targets.groups, self.settings.average_group
        if not isinstance(own, tuple):
            return groups
        pairs = torch.stack([groups, torch.tensor(own, device=groups.device)])
        found: Tensor = torch.unique(pairs, dim=1, return_inverse=True)[1]
        return found

    @property
    def own_chains(self) -> list[int]:
        """The numbers of the chains that sample at the temperature that was asked for."""
        if self.tempering is None:
            return list(range(len(self.neurons)))
        return self.tempering.ladders.cold_chains


@dataclass(frozen=True)
class LogEntry:
    """A change in the log, in JSON's types; it took effect before step `step`, in one lane or all.

    `before` has the previous values of a setting in these lanes. It is not written to files; None
    means that it is unknown.
    """

    step: int
    name: str
    value: Any
    lane: int | None = None
    before: tuple[Any, ...] | None = field(default=None, compare=False)

    def json(self) -> list[Any]:
        """Return the entry as a list for JSON, without a lane if it applies to all lanes."""
        entry = [self.step, self.name, self.value]
        return entry if self.lane is None else [*entry, self.lane]


@dataclass(frozen=True)
class Moment:
    """The part of the state that a step changes; `sources` are the states of random generators."""

    step: int
    lanes: tuple[Lane, ...]
    melting: int
    sources: Mapping[str, Tensor]


@dataclass(frozen=True)
class Unconfirmed:
    """A step whose outcome has not arrived on the host.

    `verdicts` has two numbers per lane, (lanes, 2): a sum that is finite only if all values of the
    lane are, and the least of its chains' `gradient_rms`. `gradient_rms` has one tensor (chains,)
    per lane.
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
        Where the log starts: the description of the session when it was opened (JSON), or of the
        snapshot from which the log continues.
    log
        Every change since `origin`.
    melting
        Number of steps left at `MELT_HEAT` times the temperature.
    heated
        Factor of the temperature while no such steps are left; 1 unless the chains melt.
    held, heats
        What is done to some chains only, see `Outline`.
    unconfirmed
        The last steps, oldest first, whose outcomes have not all arrived.
    learner
        The discriminator with what it has learned in this session; None while it is unchanged.
    discriminator_rounds, lessons_due
        Number of lessons after each change of weights, and number of lessons still due.
    pictures, rest
        The kept pictures, see `engine.kept_pictures`, and the number of the one towards which L2
        pulls; None for the rest colour.
    checked_layers
        Layers (name and SHA-256 of the network, layer) whose gradients were measured to be the same
        under the present plan.
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
    pictures: tuple[KeptPicture, ...] = ()
    rest: int | None = None
    melting: int = 0
    heated: float = 1.0
    held: tuple[int, ...] = ()
    heats: tuple[float, ...] = ()
    origin: dict[str, Any] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)
    unconfirmed: list[Unconfirmed] = field(default_factory=list)
    checked_layers: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def lane(self) -> Lane:
        """The first lane."""
        return self.lanes[0]

    @property
    def outline(self) -> Outline:
        """The networks, neurons and settings of the session."""
        return Outline(
            tuple(LaneOutline(lane.network, lane.neurons, lane.settings) for lane in self.lanes),
            seed=self.seed,
            device=self.device,
            discriminator=self.discriminator,
            learn_every=self.learn_every,
            discriminator_rounds=self.discriminator_rounds,
            data=self.data,
            pictures=tuple(kept.note for kept in self.pictures),
            rest=self.rest,
            held=self.held,
            heats=self.heats,
        )

    def rest_of(self, lane: Lane) -> float | Tensor:
        """Return the image towards which L2 pulls the chains of a lane.

        It is the rest colour, in pixel units, or a kept picture, (C, H, W).
        """
        pixels = lane.sized.pixels
        if self.rest is None:
            return lane.network.pixels.rest
        return self.pictures[self.rest].at((pixels.height, pixels.width), self.device.name)

    @property
    def heat(self) -> Heat:
        """The factor by which the temperature is multiplied at present."""
        return self.heat_at(self.melting)

    def heat_at(self, melting: int) -> Heat:
        """Return the same for another number of steps that are left of a melt."""
        common = MELT_HEAT if melting else self.heated
        if not self.heats:
            return common
        own = torch.tensor(self.heats, dtype=torch.float32, device=self.device.name)
        return own.clamp_min(common).reshape(-1, 1, 1, 1)

    def heat_of(self, chain: int) -> float:
        """Return the present factor of one chain."""
        common = MELT_HEAT if self.melting else self.heated
        return max(common, self.heats[chain]) if self.heats else common

    def mask(self, chains: Iterable[int]) -> Tensor:
        """Return which chains these are, (chains,)."""
        mask = torch.zeros(len(self.lane.neurons), dtype=torch.bool)
        mask[list(chains)] = True
        return mask.to(self.device.name)

    @property
    def discriminator_module(self) -> torch.nn.Module | None:
        """The discriminator in use: the one that learned in this session, else the opened one."""
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
