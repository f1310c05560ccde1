"""What a contact sheet is: a network, neurons of a layer, settings, chains, steps and a seed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import describe
from ldam_studio.engine.session import SessionSpec
from ldam_studio.engine.suiting import suited_to
from ldam_studio.errors import StudioError
from ldam_studio.export.cells import MOST_CELLS
from ldam_studio.export.shown import Shown
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.families import short_name
from ldam_studio.sampler.settings import Settings

CHAINS, STEPS = 4, 300
"""How many chains each neuron has, and how many steps they take at most."""
MOST_CHAINS_EACH = 64
PIECE = 16
LEAST_SIDE = 32
ROOM = 2.0
"""Images of neurons that see a part only are this many times as large as what they see."""
WORTH = 0.75
"""Smaller images are used if they have at most this share of the side of the network's own."""


@dataclass(frozen=True)
class SheetSpec:
    """A contact sheet.

    Each neuron has a session of its own with `chains` chains, all with the same seed. Its picture
    therefore depends neither on which other neurons are on the sheet nor on their order.

    Attributes
    ----------
    neurons
        The neurons, all of one layer, each once.
    steps
        The largest number of steps; a neuron whose picture has converged needs fewer.
    display
        How pixels become colours, see `engine.picture.to_bytes`.

    Raises
    ------
    StudioError
        If a number is out of range, the neurons do not exist or are too many, or no step would be
        averaged.
    """

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings
    device: Device
    chains: int = CHAINS
    steps: int = STEPS
    seed: int = 0
    discriminator: DiscriminatorModel | None = None
    display: str = "image"

    def __post_init__(self) -> None:
        if not self.neurons:
            raise StudioError("A contact sheet needs at least one neuron; choose some.")
        if len(self.neurons) > MOST_CELLS:
            raise StudioError(
                f"A contact sheet has at most {MOST_CELLS:,} neurons, not {len(self.neurons):,}; "
                "choose some of them."
            )
        if not 1 <= self.chains <= MOST_CHAINS_EACH:
            raise StudioError(f"Each neuron has 1 to {MOST_CHAINS_EACH} chains, not {self.chains}.")
        if self.settings.thin > self.steps:
            raise StudioError(
                f"With a thinning of {self.settings.thin}, {self.steps} steps give no sample; use "
                "more steps or a lower thinning."
            )

    @property
    def layer(self) -> str:
        """The layer of the neurons."""
        return self.neurons[0].layer

    @property
    def title(self) -> str:
        """The title of the sheet."""
        count = len(self.neurons)
        neurons = "1 neuron" if count == 1 else f"{count:,} neurons"
        return f"{short_name(self.network.name)}, {self.layer}: {neurons}"

    def session(self, neuron: Neuron) -> SessionSpec:
        """Return how the session of one neuron starts."""
        return SessionSpec(
            network=self.network,
            neurons=(neuron,) * self.chains,
            settings=self.settings,
            seed=self.seed,
            discriminator=self.discriminator,
            device=self.device,
        )

    @cached_property
    def described(self) -> dict[str, Any]:
        """What all neurons have in common, in JSON's types; equal sheets have equal ones."""
        session = describe(self.session(self.neurons[0]).outline)
        session["lanes"][0]["neurons"] = [self.layer]
        shared = {"chains": self.chains, "steps": self.steps, "display": self.display}
        described: dict[str, Any] = json.loads(json.dumps({"session": session, **shared}))
        return described

    @property
    def shown(self) -> Shown:
        """How the picture of a neuron is shown, but for the chain: only what the neuron sees."""
        return Shown("average", display=self.display, field=True)


def file_name(neuron: Neuron) -> str:
    """Return the name of a neuron's picture in the folder of a sheet; equal for no two neurons."""
    address = str(neuron)
    usual = re.sub(r"[^A-Za-z0-9_.,@-]", "-", address).strip("-.")[:100]
    plain = re.fullmatch(r"[A-Za-z0-9_.]{1,80}:\d+", address)
    if plain is None:
        usual += f"-{address.encode().hex()[-24:]}"
    return f"{usual}.png"


def neurons_in(
    network: Network, layer: str, chosen: Sequence[int] | None = None
) -> tuple[Neuron, ...]:
    """Return the neurons of a layer, or those with the `chosen` numbers, each once.

    Raises
    ------
    StudioError
        If there is no such layer or neuron.
    """
    known = network.layer(layer)
    numbers = range(known.neurons) if chosen is None else dict.fromkeys(chosen)
    return tuple(network.check(Neuron(known.name, number)) for number in numbers)


def fitting(network: Network, neurons: Sequence[Neuron], settings: Settings) -> Settings:
    """Return the settings with views, smoothness and resolution that suit neurons of a sheet.

    Where neurons see only a part of the image, the chains' images are made small: every pixel of a
    chain takes time, and those that no neuron sees show nothing.
    """
    return small(network, neurons, settings.with_values(suited_to(network, neurons, settings)))


def small(network: Network, neurons: Sequence[Neuron], settings: Settings) -> Settings:
    """Return the settings with images that are no larger than neurons need.

    A resolution that is not the network's own is kept, and so is that of neurons at a place of
    their own, which another size would move.
    """
    layer = neurons[0].layer
    own = settings.resolution in (0, network.pixels.side)
    if not own or network.measures_field(layer) or any(n.place is not None for n in neurons):
        return settings
    field = network.receptive_field(layer)
    if field is None:
        return settings
    side = max(LEAST_SIDE, PIECE * -int(-ROOM * _longest(field) // PIECE))
    if side > WORTH * network.pixels.side:
        return settings
    sized = network.at_side(side)
    if sized is None or sized.pixels.side > WORTH * network.pixels.side:
        return settings
    there = sized.receptive_field(layer)
    if there is None or _size(there) != _size(field):
        return settings  # what it sees would be cut at the edges
    return replace(settings, resolution=sized.pixels.side, resolution_start=0)


def _size(box: tuple[int, int, int, int]) -> tuple[int, int]:
    top, left, bottom, right = box
    return bottom - top, right - left


def _longest(box: tuple[int, int, int, int]) -> int:
    return max(_size(box))
