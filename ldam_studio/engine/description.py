"""The description of a session in JSON's types, as recipes, logs and session files store it.

The structure of a description is checked here; its meaning is checked when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from ldam_studio.engine.comparison import MOST_LANES
from ldam_studio.engine.compute.device import ARITHMETIC
from ldam_studio.engine.outline import Outline
from ldam_studio.errors import StudioError
from ldam_studio.networks.plan import FORMER, TORCH, Plan
from ldam_studio.networks.weights.choice import MOST_SEED
from ldam_studio.sampler.settings import SETTINGS

MOST_CHAINS = round(SETTINGS["chains"].maximum)

Count = Annotated[int, Meta(ge=0, le=10**12)]
Neurons = Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_CHAINS)]
Values = dict[str, str | bool | int | float | tuple[int | float, ...]]


class FileReference(Struct, frozen=True):
    """A weights file and its SHA-256."""

    weights: str
    sha256: str


class Reference(Struct, frozen=True):
    """A network or discriminator, see `Network.reference`; `weights` is None for shipped weights.

    `statistics` is the SHA-256 of its photo statistics, "" if those in use have no file; None if
    none were in use. `behaviour` is how its forward passes are made, see `behaviour.RECORDED`;
    those of recipes without it are plain. `class_layer` is None for the layer that 0.1.0 took for
    the classes. The other fields say how a network was opened where its name does not; see
    `Options`.
    """

    name: str
    weights: str | None
    sha256: str
    pixels: dict[str, Any] | None = None
    labels: str | None = None
    partial: bool = False
    untrained: bool = False
    weights_key: str | None = None
    random_seed: Annotated[int, Meta(ge=0, le=MOST_SEED)] | None = None
    mean_of: tuple[FileReference, ...] = ()
    statistics: str | None = None
    class_layer: str | None = None
    behaviour: tuple[str, ...] = ()


class MeasuredReference(Struct, frozen=True):
    """Statistics that were measured in a session, see `photo_statistics.Measured`.

    They and those before are named by the SHA-256 of their file.
    """

    network: str
    statistics: str
    before: str


class LaneDescription(Struct, frozen=True):
    """A network with the neurons of its chains and its settings."""

    network: Reference
    neurons: Neurons
    settings: Values


class BesideDescription(Struct, frozen=True):
    """How a lane beside the first one starts; see `comparison.LaneSpec`."""

    network: Reference
    neurons: Neurons | None
    settings: Values | None
    restart: bool


class DeviceDescription(Struct, frozen=True):
    """Where a session runs; see `compute.device.Device`."""

    device: str
    precision: str
    threads: int
    tried: bool = False
    arithmetic: Annotated[int, Meta(ge=1)] = 1
    layout: str = FORMER
    first_layers: str = TORCH
    folded: bool = True
    asked: tuple[str, ...] = ()
    confirmed: bool = False

    def __post_init__(self) -> None:
        """Refuse what a later version computed in a way that this one does not know."""
        if self.arithmetic > ARITHMETIC:
            raise StudioError(
                "The session was computed by a newer version of LDAM Studio; update the program "
                "to open it."
            )

    @property
    def plan(self) -> Plan:
        """How networks were run; as in 0.1.0 if the description does not say it."""
        return Plan(self.precision, self.threads, self.layout, self.first_layers, self.folded)


class SessionDescription(Struct, frozen=True):
    """Everything that is needed to start a session; see `session.SessionSpec`."""

    lanes: Annotated[tuple[LaneDescription, ...], Meta(min_length=1, max_length=MOST_LANES)]
    seed: Annotated[int, Meta(ge=0)]
    discriminator: Reference | None
    learn_every: Count
    data: str | None
    machine: DeviceDescription
    discriminator_rounds: Count = 0


T = TypeVar("T")


def parse(value: Any, kind: type[T]) -> T:
    """Convert JSON to the structure that it describes.

    Raises
    ------
    StudioError
        If something is missing, of another type, or out of bounds.
    """
    try:
        return msgspec.convert(value, kind)
    except (ValueError, OverflowError) as error:
        raise StudioError(
            f"The description of the session is incomplete or damaged ({error}); export it again."
        ) from None


def parse_session(description: Any) -> SessionDescription:
    """Return the description of a session, as any version of the program wrote it.

    Raises
    ------
    StudioError
        If it is incomplete or damaged.
    """
    return parse(with_lanes(description), SessionDescription)


def describe(outline: Outline) -> dict[str, Any]:
    """Return the description that starts a session with this outline.

    It does not contain the current chains, averages or learner.
    """
    model = outline.discriminator
    return {
        "lanes": [
            {
                "network": lane.network.reference,
                "neurons": [str(neuron) for neuron in lane.neurons],
                "settings": asdict(lane.settings),
            }
            for lane in outline.lanes
        ],
        "seed": outline.seed,
        "discriminator": None if model is None else model.reference,
        "learn_every": outline.learn_every,
        "discriminator_rounds": outline.discriminator_rounds,
        "data": None if outline.data is None else str(outline.data),
        "machine": outline.device.json(),
    }


OF_A_LANE = ("network", "neurons", "settings")


def with_lanes(description: Any) -> Any:
    """Return a session's description with `lanes`; version 0.1.0 wrote it without.

    In 0.1.0 the first lane's fields stood directly in the description, and the other lane was
    called `second`.
    """
    if not isinstance(description, Mapping) or "network" not in description:
        return description
    lanes = [{key: description[key] for key in OF_A_LANE if key in description}]
    if description.get("second") is not None:
        lanes.append(description["second"])
    others = {k: v for k, v in description.items() if k not in (*OF_A_LANE, "second")}
    return {"lanes": lanes} | others
