"""A session's settings as one immutable value, and what each change means for them.

An outline has no chains. It says which networks and neurons a session looks at, and with which
settings. `Outline.after` says what these are after a change, by the rules in
`engine.changes.rules`. The session itself follows it (`engine.changes`), and the window can show
the result of a change before the session has carried it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.rules import Scope, rule_of
from ldam_studio.engine.comparison import (
    LaneSpec,
    check_alike,
    check_count,
    checked,
    matched,
)
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.kept_pictures import PictureNote
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings, is_of_chains


@dataclass(frozen=True)
class LaneOutline:
    """One network, the neuron of each chain, and the settings."""

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings

    def looking_at(self, neurons: tuple[Neuron, ...]) -> LaneOutline:
        """Return the lane with other neurons: one for each chain, or one for all present chains."""
        if len(neurons) == 1:
            neurons *= len(self.neurons)
        checked(self.network, neurons)
        settings = self.settings.for_chains(len(neurons))
        return replace(self, neurons=neurons, settings=settings)


@dataclass(frozen=True)
class Outline:
    """The networks, neurons and settings of a session.

    Attributes
    ----------
    lanes
        The network in front, then those that it is compared with.
    learn_every, discriminator_rounds
        The settings with these names.
    data
        Folder of the real images from which a discriminator learns; None for the shipped sample.
    pictures, rest
        What is known of the kept pictures, and the number of the one towards which L2 pulls; None
        for the rest colour.
    held
        The numbers of the chains that neither move nor give samples, in ascending order.
    heats
        The factor of each chain's own temperature; empty if all are 1. The larger of it and the
        session's own counts.
    """

    lanes: tuple[LaneOutline, ...]
    seed: int = 0
    device: Device = field(default_factory=choose)
    discriminator: DiscriminatorModel | None = None
    learn_every: int = 0
    discriminator_rounds: int = 0
    data: Path | None = None
    pictures: tuple[PictureNote, ...] = ()
    rest: int | None = None
    held: tuple[int, ...] = ()
    heats: tuple[float, ...] = ()

    @property
    def lane(self) -> LaneOutline:
        """The first lane."""
        return self.lanes[0]

    @property
    def chains(self) -> int:
        """The number of chains in each lane."""
        return len(self.lane.neurons)

    def value(self, name: str, lane: int = 0) -> Any:
        """Return the value of a setting, either of a lane's chains or of the whole session."""
        return getattr(self.lanes[lane].settings if is_of_chains(name) else self, name)

    def after(self, change: Change) -> Outline:
        """Return the outline after a change.

        Raises
        ------
        StudioError
            If the change cannot be made.
        """
        return rule_of(change.name).after(self, change, self.lanes_of(change))

    def lanes_of(self, change: Change) -> tuple[int, ...]:
        """Return the numbers of the lanes that a change applies to.

        Raises
        ------
        StudioError
            If there is no such change or lane, or if the change cannot be made for one lane alone.
        """
        everywhere = tuple(range(len(self.lanes)))
        scope = rule_of(change.name).scope
        if scope is Scope.PLACE:
            return everywhere
        if change.lane is None:
            return everywhere[:1] if scope is Scope.ONE else everywhere
        if change.lane not in everywhere:
            raise StudioError("There is no second network to change; add a comparison first.")
        if scope is Scope.ALL:
            raise StudioError(f"{change.name!r} can only be changed for all networks together.")
        return (change.lane,)

    def with_lane(self, spec: LaneSpec) -> LaneOutline:
        """Return a further lane; raise `StudioError` if it does not fit the first one."""
        first = self.lanes[0]
        check_alike(first.network, spec.network)
        neurons = spec.neurons
        if neurons is None:
            neurons = matched(spec.network, first.neurons)
            neurons = neurons or spec.network.default_neurons(self.chains)
        check_count(neurons, self.chains)
        settings = spec.settings or first.settings
        return LaneOutline(spec.network, first.neurons, settings).looking_at(neurons)

    def put(self, number: int, lane: LaneOutline) -> Outline:
        """Return the outline with another lane in the place of one of its own."""
        return replace(self, lanes=(*self.lanes[:number], lane, *self.lanes[number + 1 :]))
