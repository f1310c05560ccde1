"""The table of changes: what each one does to a session, and how the log stores it.

What a change means for settings, neurons and lanes is defined in `engine.changes.rules`. To add a
change, write a rule there, an effect in a file of this folder, and a row in this table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import msgspec

from ldam_studio.engine.changes import words
from ldam_studio.engine.changes.average import reset_average
from ldam_studio.engine.changes.chains import change_chains, keep_chains
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.changes.comparison import compare
from ldam_studio.engine.changes.discriminator import change_discriminator, revert_discriminator
from ldam_studio.engine.changes.learning import change_learning
from ldam_studio.engine.changes.melt import heat, melt
from ldam_studio.engine.changes.modes import forget_mode, keep_mode
from ldam_studio.engine.changes.network import change_network
from ldam_studio.engine.changes.network_rules import neurons_of
from ldam_studio.engine.changes.neurons import change_neurons
from ldam_studio.engine.changes.pictures import change_rest, keep_picture, start_from
from ldam_studio.engine.changes.plan import change_plan
from ldam_studio.engine.changes.schedule import hold_schedule, leave_schedule, run_schedule
from ldam_studio.engine.changes.settings import change_setting
from ldam_studio.engine.changes.some import heat_some, hold, release, restart_some
from ldam_studio.engine.changes.start import restart
from ldam_studio.engine.changes.statistics import change_statistics
from ldam_studio.engine.changes.weights import change_weights
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import plan_words
from ldam_studio.engine.description import (
    BesideDescription,
    Chains,
    Count,
    HeatedChains,
    Kept,
    MeasuredReference,
    Neurons,
    Reference,
    Seed,
    Text,
    Value,
    parse,
)
from ldam_studio.engine.kept_modes import KeptMode
from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference, StartFrom
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.photo_statistics import Measured
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import Plan
from ldam_studio.networks.statistics.finding import statistics_by_hash
from ldam_studio.sampler.settings import SETTINGS, is_of_chains


class Opener(Protocol):
    """Opens what a log refers to; see `engine.session.Opener`."""

    def network(self, reference: Reference) -> Network:
        """Open a network."""

    def discriminator(self, reference: Reference | None) -> DiscriminatorModel | None:
        """Open a discriminator, or none."""

    def lane(self, description: BesideDescription) -> LaneSpec:
        """Open the lane to put beside the first one."""

    def picture(self, reference: PictureReference) -> KeptPicture:
        """Find a picture that was brought from outside."""


Effect = Callable[[SessionState, Change, Outline, Sequence[int]], None]
"""Changes a session so that it matches the outline, its third argument. The last argument has the
numbers of the lanes to change. If an effect raises halfway, `apply` restores the session."""


def _as_it_is(change: Change, _after: Outline) -> Any:
    return change.value


def _read_as_it_is(value: Any, _opener: Opener) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """The properties of all changes with one name.

    Attributes
    ----------
    effect
        What the change does to a session.
    words
        The text for the traces, given the outline after the change.
    written
        The type of the value in the log, as msgspec checks it. What is out of bounds is refused
        before anything else looks at it.
    logged
        The value that is written into the log, in JSON's types.
    read
        Turns the value in the log into the value of a change.
    looks_elsewhere
        Whether the chains may look at another layer afterwards. If so, the step in progress is
        abandoned, and it is checked again whether the plan suits the layer.
    restarts
        Whether the change restarts the chains, given the value in the log.
    reads_chains
        Whether the session keeps something of its chains through this change that no restart takes
        back, so that replay has to compute the steps before.
    """

    effect: Effect
    words: Callable[[Change, Outline], str]
    written: Any = Text | None
    logged: Callable[[Change, Outline], Any] = _as_it_is
    read: Callable[[Any, Opener], Any] = _read_as_it_is
    looks_elsewhere: bool = False
    restarts: Callable[[Any], bool] = lambda _value: False
    reads_chains: bool = False


def kind_of(name: str) -> Kind:
    """Return the kind of the changes with this name; `StudioError` if there is none."""
    if is_of_chains(name):
        return SETTING
    if name not in CHANGES:
        raise StudioError(f"There is no change called {name!r}.")
    return CHANGES[name]


def check_logged(name: str, value: Any) -> None:
    """Raise `StudioError` if a change of this name cannot have this value in a log."""
    parse(value, kind_of(name).written)


def _value(change: Change, after: Outline) -> Any:
    return after.value(change.name, change.lane or 0)


def _addresses(change: Change, _after: Outline) -> list[str]:
    return [str(neuron) for neuron in neurons_of(change.value)]


def _reference(change: Change, _after: Outline) -> Any:
    return None if change.value is None else change.value.reference


def _read_network(value: Any, opener: Opener) -> Network:
    return opener.network(parse(value, Reference))


def _measured_reference(change: Change, _after: Outline) -> Any:
    found: Measured = change.value
    return msgspec.structs.asdict(
        MeasuredReference(found.network, found.statistics.sha256, found.before)
    )


def _read_measured(value: Any, _opener: Opener) -> Measured:
    reference = parse(value, MeasuredReference)
    statistics = statistics_by_hash(reference.statistics)
    return Measured(reference.network, statistics, reference.before)


def _read_discriminator(value: Any, opener: Opener) -> DiscriminatorModel | None:
    return opener.discriminator(None if value is None else parse(value, Reference))


def _read_beside(value: Any, opener: Opener) -> LaneSpec | None:
    return None if value is None else opener.lane(parse(value, BesideDescription))


def _read_picture(value: Any, opener: Opener) -> KeptPicture:
    return opener.picture(parse(value, PictureReference))


def _for_some(effect: Effect, done: str) -> Kind:
    return Kind(
        effect,
        written=Kept,
        words=lambda change, _after: words.some(change.value, done),
        logged=lambda change, _after: list(change.value),
    )


SETTING = Kind(change_setting, words=words.setting, written=Value, logged=_value)

CHANGES: dict[str, Kind] = {
    "neurons": Kind(
        change_neurons,
        written=Neurons,
        words=words.neurons,
        logged=_addresses,
        looks_elsewhere=True,
    ),
    "network": Kind(
        change_network,
        written=Reference,
        words=lambda change, _after: f"network {change.value.name}",
        logged=_reference,
        read=_read_network,
        looks_elsewhere=True,
    ),
    "weights": Kind(
        change_weights,
        written=Reference,
        words=words.weights,
        logged=_reference,
        read=_read_network,
    ),
    "statistics": Kind(
        change_statistics,
        written=MeasuredReference,
        words=lambda _change, _after: "photo statistics measured",
        logged=_measured_reference,
        read=_read_measured,
    ),
    "discriminator": Kind(
        change_discriminator,
        written=Reference | None,
        words=lambda change, _: "no discriminator" if change.value is None else "discriminator",
        logged=_reference,
        read=_read_discriminator,
    ),
    "revert_discriminator": Kind(
        revert_discriminator, words=lambda _change, _after: "discriminator as it was"
    ),
    "chains": Kind(
        change_chains,
        written=Chains,
        words=lambda _change, after: words.counted(after.chains, "chain"),
        logged=lambda _change, after: after.chains,
    ),
    "keep": Kind(
        keep_chains,
        written=Kept,
        words=lambda _change, after: words.counted(after.chains, "chain") + " kept",
        logged=lambda change, _after: list(change.value),
        looks_elsewhere=True,
    ),
    "seed": Kind(
        restart,
        written=Seed,
        words=lambda _change, after: f"seed {after.seed}",
        restarts=lambda _value: True,
    ),
    "restart": Kind(restart, words=lambda _change, _after: "restart", restarts=lambda _value: True),
    "run_schedule": Kind(run_schedule, words=words.schedule),
    "leave_schedule": Kind(
        leave_schedule,
        written=Text,
        words=lambda change, _after: f"{SETTINGS[change.value].label.lower()} by hand",
    ),
    "hold_schedule": Kind(
        hold_schedule,
        written=bool,
        words=lambda change, _after: "schedule stopped" if change.value else "schedule goes on",
    ),
    "picture": Kind(
        keep_picture,
        written=PictureReference,
        words=lambda change, _after: f"kept {change.value.title}",
        logged=lambda change, _after: msgspec.to_builtins(change.value.reference),
        read=_read_picture,
    ),
    "start_from": Kind(
        start_from,
        written=StartFrom,
        words=words.start,
        logged=lambda change, _after: msgspec.to_builtins(change.value),
        read=lambda value, _opener: parse(value, StartFrom),
        restarts=lambda value: isinstance(value, dict) and value.get("chains") is None,
    ),
    "rest": Kind(change_rest, written=Count | None, words=words.rest),
    "keep_mode": Kind(
        keep_mode,
        written=KeptMode,
        words=lambda change, _after: f"kept {change.value.title}",
        logged=lambda change, _after: msgspec.to_builtins(change.value),
        read=lambda value, _opener: parse(value, KeptMode),
        reads_chains=True,
    ),
    "forget_mode": Kind(
        forget_mode,
        written=Count,
        words=lambda change, after: f"forgot {after.pictures[change.value].title}",
    ),
    "reset_average": Kind(reset_average, words=lambda _change, _after: "average reset"),
    "melt": Kind(melt, written=Count, words=lambda _change, _after: "melt"),
    "heat": Kind(heat, written=float, words=lambda change, _after: words.heat(change.value)),
    "heat_some": Kind(
        heat_some,
        written=HeatedChains,
        words=lambda change, _after: words.heated(change.value),
        logged=lambda change, _after: asdict(change.value),
        read=lambda value, _opener: Heated(**msgspec.structs.asdict(parse(value, HeatedChains))),
    ),
    "restart_some": _for_some(restart_some, "restart"),
    "hold": _for_some(hold, "held"),
    "release": _for_some(release, "released"),
    "learn_every": Kind(change_learning, written=Count, words=words.learning, logged=_value),
    "discriminator_rounds": Kind(
        change_learning,
        written=Count,
        words=lambda _change, after: (
            f"{words.counted(after.discriminator_rounds, 'round')} per checkpoint"
        ),
        logged=_value,
    ),
    "plan": Kind(
        change_plan,
        written=Plan,
        words=lambda _change, after: plan_words(after.device),
        logged=lambda change, _after: asdict(change.value),
        read=lambda value, _opener: parse(value, Plan),
    ),
    "precision": Kind(change_plan, written=Text, words=lambda change, _after: str(change.value)),
    "compare": Kind(
        compare,
        written=BesideDescription | None,
        words=words.compare,
        logged=lambda change, _: None if change.value is None else change.value.json(),
        read=_read_beside,
        looks_elsewhere=True,
        restarts=lambda value: isinstance(value, dict) and bool(value.get("restart")),
    ),
}
