"""The description of a session in JSON's types, as recipes, logs and session files store it.

The structure of a description is checked here; its meaning is checked when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from ldam_studio.engine.changes.chosen import MOST_HEAT
from ldam_studio.engine.comparison import MOST_LANES
from ldam_studio.engine.compute.device import ARITHMETIC, MOST_THREADS
from ldam_studio.errors import StudioError
from ldam_studio.files import LONGEST
from ldam_studio.networks.plan import FORMER, TORCH, Plan
from ldam_studio.networks.weights.choice import MOST_SEED
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline

MOST_CHAINS = round(SETTINGS["chains"].maximum)

# Every text and number of a recipe, log and session file is one of these, so that no other code
# has to ask how long or large it is.
Text = Annotated[str, Meta(max_length=1000)]
Place = Annotated[str, Meta(max_length=LONGEST)]
Sha256 = Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Chains = Annotated[int, Meta(ge=1, le=MOST_CHAINS)]
Neurons = Annotated[tuple[Text, ...], Meta(min_length=1, max_length=MOST_CHAINS)]
EachChain = Annotated[tuple[int | float, ...], Meta(min_length=1, max_length=MOST_CHAINS)]
Value = Text | bool | int | float | EachChain
Values = Annotated[dict[Text, Value], Meta(max_length=1000)]
Pixels = Annotated[dict[Text, Any], Meta(max_length=20)]
Index = Annotated[int, Meta(ge=0, lt=MOST_CHAINS)]
Kept = Annotated[tuple[Index, ...], Meta(min_length=1, max_length=MOST_CHAINS)]
Held = Annotated[tuple[Index, ...], Meta(max_length=MOST_CHAINS)]
Heat = Annotated[float, Meta(ge=1, le=MOST_HEAT)]
Heats = Annotated[tuple[Heat, ...], Meta(max_length=MOST_CHAINS)]
MOST_AVERAGED = 1000
"""Files of weights that a recipe may name for one network."""


class FileReference(Struct, frozen=True):
    """A weights file and its SHA-256."""

    weights: Place
    sha256: Sha256


class Reference(Struct, frozen=True):
    """A network or discriminator, see `Network.reference`; `weights` is None for shipped weights.

    `statistics` is the SHA-256 of its photo statistics, "" if those in use have no file; None if
    none were in use. `behaviour` is how its forward passes are made, see `behaviour.RECORDED`;
    those of recipes without it are plain. `class_layer` is None for the layer that 0.1.0 took for
    the classes. The other fields say how a network was opened where its name does not; see
    `Options`.
    """

    name: Place
    weights: Place | None
    sha256: Sha256
    pixels: Pixels | None = None
    labels: Place | None = None
    partial: bool = False
    untrained: bool = False
    weights_key: Text | None = None
    random_seed: Annotated[int, Meta(ge=0, le=MOST_SEED)] | None = None
    mean_of: Annotated[tuple[FileReference, ...], Meta(max_length=MOST_AVERAGED)] = ()
    statistics: Sha256 | None = None
    class_layer: Text | None = None
    behaviour: Annotated[tuple[Text, ...], Meta(max_length=100)] = ()


class MeasuredReference(Struct, frozen=True):
    """Statistics that were measured in a session, see `photo_statistics.Measured`.

    They and those before are named by the SHA-256 of their file.
    """

    network: Sha256
    statistics: Sha256
    before: Sha256


class HeatedChains(Struct, frozen=True):
    """Some chains, and the factor by which their temperature is multiplied; 1 cools them."""

    chains: Kept
    heat: Heat


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

    device: Text
    precision: Text
    threads: Annotated[int, Meta(ge=0, le=MOST_THREADS)]
    tried: bool = False
    arithmetic: Annotated[int, Meta(ge=1, le=2**31)] = 1
    layout: Text = FORMER
    first_layers: Text = TORCH
    folded: bool = True
    asked: Annotated[tuple[Text, ...], Meta(max_length=100)] = ()
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
    seed: Seed
    discriminator: Reference | None
    learn_every: Count
    data: Place | None
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
