"""What each change means for the outline of a session.

Each rule returns the outline after a change, and no rule needs a tensor. `Outline.after` follows
them for the session and for the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes import (
    chosen,
    mode_rules,
    network_rules,
    picture_rules,
    schedule_rules,
)
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import AUTO, choose
from ldam_studio.errors import StudioError
from ldam_studio.networks.plan import Plan
from ldam_studio.sampler.settings import SETTINGS, is_of_chains

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline

MAX_MELT = 100_000


class Scope(Enum):
    """The lanes that a change applies to."""

    ALL = "all lanes together"
    ANY = "the lane that the change names, or all lanes if it names none"
    ONE = "the lane that the change names, or the first lane if it names none"
    PLACE = "the position at which a lane is added or removed"


@dataclass(frozen=True)
class Rule:
    """What a change does to an outline, given the numbers of the lanes that it applies to."""

    after: Callable[[Outline, Change, tuple[int, ...]], Outline]
    scope: Scope = Scope.ALL


def rule_of(name: str) -> Rule:
    """Return the rule of the changes with this name; `StudioError` if there is none."""
    if is_of_chains(name):
        return SETTING
    if name not in RULES:
        raise StudioError(f"There is no change called {name!r}.")
    return RULES[name]


def may_be_for_one_lane(name: str) -> bool:
    """Return whether a change of this name may be for one lane alone."""
    return rule_of(name).scope in (Scope.ANY, Scope.ONE)


def _setting(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    for number in numbers:
        lane = outline.lanes[number]
        settings = lane.settings.change(change.name, change.value).for_chains(outline.chains)
        outline = outline.put(number, replace(lane, settings=settings))
    return outline


def _chains(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    count = SETTINGS["chains"].check(change.value)
    for number in numbers:
        lane = outline.lanes[number]
        known = list(dict.fromkeys(lane.neurons))
        # Chains on different neurons are joined by further neurons of the layer, if it has any.
        layer = lane.network.layer(lane.neurons[0].layer)
        if 1 < len(known) < layer.neurons:
            spread = lane.network.spread(layer.name, layer.neurons)
            known += [neuron for neuron in spread if neuron not in known]
        neurons = list(lane.neurons[:count])
        while len(neurons) < count:
            neurons.append(known[len(neurons) % len(known)])
        settings = lane.settings.for_chains(count)
        outline = outline.put(number, replace(lane, neurons=tuple(neurons), settings=settings))
    return chosen.of_first(outline, count)


def _seed(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    _check_whole(change.value, 2**63 - 1, "The seed must be a whole number from 0 to 2^63 - 1")
    return chosen.freed(replace(outline, seed=change.value))


def _melt(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    _check_whole(change.value, MAX_MELT, f"Melting lasts from 0 to {MAX_MELT} steps")
    return outline


def _heat(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    chosen.check_heat(change.value)
    return replace(outline, heats=()) if change.value == 1 else outline


def _check_whole(value: Any, most: int, sentence: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise StudioError(f"{sentence}, not {value!r}.")


def _precision(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    if change.value != "float32":
        raise StudioError(
            f"A running session can only change to float32, not to {change.value!r}; open "
            "a new session."
        )
    return replace(outline, device=outline.device.in_float32())


def _plan(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    plan, name = change.value, outline.device.name
    if not isinstance(plan, Plan):
        raise StudioError(f"A plan of execution cannot be {plan!r}.")
    decided = choose(name, plan.precision, plan.threads, plan)
    if AUTO in (decided.precision, decided.layout) or not decided.threads:
        raise StudioError("A running session can only change to a plan that is decided.")
    return replace(outline, device=outline.device.with_plan(plan))


def _learning(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    number = SETTINGS[change.name].check(change.value)
    if change.name == "learn_every":
        return replace(outline, learn_every=number)
    return replace(outline, discriminator_rounds=number)


def _restart(outline: Outline, _change: Change, _numbers: tuple[int, ...]) -> Outline:
    return chosen.freed(outline)


def _same(outline: Outline, _change: Change, _numbers: tuple[int, ...]) -> Outline:
    return outline


SETTING = Rule(_setting, Scope.ANY)

RULES: dict[str, Rule] = {
    "neurons": Rule(
        network_rules.neurons, Scope.ANY
    ),  # neurons or addresses, one per chain or one for all
    "network": Rule(network_rules.network, Scope.ONE),  # Network
    "weights": Rule(
        network_rules.weights, Scope.ONE
    ),  # Network: the one at hand, see `Network.with_weights`
    "statistics": Rule(network_rules.statistics),  # Measured: for all lanes with these weights
    "discriminator": Rule(network_rules.discriminator),  # DiscriminatorModel or None
    "revert_discriminator": Rule(_same),  # None: forget what was learned
    "chains": Rule(_chains),  # int
    "keep": Rule(chosen.keep),  # the indices of the chains to keep, in ascending order
    "seed": Rule(_seed),  # int: restart with it
    "restart": Rule(_restart),  # None: restart with the same seed
    # None: begin the schedule again from the present pictures; a setting that left it: follow it
    "run_schedule": Rule(schedule_rules.run_schedule, Scope.ANY),
    "leave_schedule": Rule(schedule_rules.leave_schedule, Scope.ANY),  # the setting that leaves it
    "hold_schedule": Rule(
        schedule_rules.hold_schedule, Scope.ANY
    ),  # bool: stop the schedule where it is, go on
    "picture": Rule(picture_rules.keep),  # KeptPicture: keep it
    "start_from": Rule(picture_rules.start_from),  # StartFrom: chains begin at a kept picture
    # int: the kept picture towards which L2 pulls; None: the rest colour
    "rest": Rule(picture_rules.rest),
    "keep_mode": Rule(mode_rules.keep_mode, Scope.ONE),  # KeptMode: keep its chains' mean average
    "forget_mode": Rule(mode_rules.forget_mode),  # the number of a kept mode
    "reset_average": Rule(_same),  # None, or "unfinished": only chains that are not burned in
    "melt": Rule(_melt),  # int: number of steps at a hundred times the temperature
    "heat": Rule(_heat),  # float: factor of the temperature from now on; 1 ends a melt
    "heat_some": Rule(chosen.heat_some),  # Heated: some chains and their own factor; 1 cools them
    # the indices of chains to restart, in ascending order
    "restart_some": Rule(chosen.restart_some),
    "hold": Rule(chosen.hold),  # the indices of chains that rest from now on
    "release": Rule(chosen.release),  # the indices of held chains that move again
    "learn_every": Rule(_learning),  # int: steps between two lessons of the discriminator, 0: none
    "discriminator_rounds": Rule(_learning),  # int: lessons after each change of weights
    "plan": Rule(_plan),  # Plan: another one was measured to suit the layer and chains in front
    "precision": Rule(_precision),  # "float32"; only in logs of 0.1.0, which has no plans
    "compare": Rule(
        network_rules.compare, Scope.PLACE
    ),  # LaneSpec to put beside the first lane; None: remove
}
"""The rule of each change by name; comments show the values that it takes. All settings of chains
share `SETTING`; they are changed for one lane or for all."""
