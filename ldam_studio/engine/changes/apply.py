"""How each change takes effect on a session, and how it is written into the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ldam_studio.engine import burn_in_threshold, silent_neurons
from ldam_studio.engine.changes.change import OF_A_LANE, OF_THE_FIRST, Change
from ldam_studio.engine.comparison import (
    Second,
    check_alike,
    check_count,
    make_second,
    matched_or_kept,
)
from ldam_studio.engine.discriminator import prepare_learner, suits
from ldam_studio.engine.lane import (
    begin,
    change_setting,
    draw_starts,
    look_at,
    reheat,
    resize,
    targets,
)
from ldam_studio.engine.state import Lane, LogEntry, SessionState
from ldam_studio.engine.tuning import in_float32, try_again
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler import average
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import SETTINGS, is_of_chains

MAX_MELT = 100_000
LANES = ("A", "B")
"""What the lanes are called where there are two."""


def apply(state: SessionState, change: Change) -> list[str]:
    """Let a change take effect on `state`, in place, and log it.

    Returns
    -------
    What to write into the traces about it; nothing if it changed nothing.

    Raises
    ------
    StudioError
        If it cannot be made; `state` is then as before.
    """
    number = change.goes_to
    before = _values(state, change)
    made = _make(state, change) if number is None else _make_in_one(state, change, number)
    if made is None:
        return []
    value, mark = made
    entry = LogEntry(state.step, change.name, value, change.lane, before)
    _log(state, entry, _values(state, change))
    if change.lane is not None and len(state.lanes) > 1:
        mark = f"{LANES[change.lane]}: {mark}"
    return [mark, *_tried_again(state, change)]


def _tried_again(state: SessionState, change: Change) -> list[str]:
    """See whether the precision suits what the chains now look at; returns what is said of it."""
    told = try_again(state) if change.name in ("neurons", "network", "compare") else ""
    if not told:
        return []
    # Replay does not try: it is told.
    _log(state, LogEntry(state.step, "precision", state.device.precision))
    return [told]


def _make(state: SessionState, change: Change) -> tuple[Any, str] | None:
    """Make a change; returns what is logged and what is said of it, None if it changed nothing."""
    if is_of_chains(change.name):
        lanes = tuple(
            change_setting(lane, change.name, change.value, state.device, state.heat)
            for lane in state.lanes
        )
        if all(new.settings == old.settings for new, old in zip(lanes, state.lanes, strict=True)):
            return None
        state.lanes = lanes
        value = getattr(state.lane.settings, change.name)
        return value, f"{SETTINGS[change.name].label.lower()} {_short(value)}"
    if change.name not in _STRUCTURAL:
        raise StudioError(f"There is nothing called {change.name!r} to change.")
    return _STRUCTURAL[change.name](state, change.value)


def _make_in_one(state: SessionState, change: Change, number: int) -> tuple[Any, str] | None:
    """Make a change in one lane, as if the session had no other."""
    lanes = state.lanes
    if not 0 <= number < len(lanes):
        raise StudioError("There is no second network to change; compare with one first.")
    if not (is_of_chains(change.name) or change.name in OF_A_LANE):
        raise StudioError(f"{change.name!r} is changed for both networks, not for one alone.")
    if len(lanes) > 1:
        _check_beside(lanes[1 - number], change)
    state.lanes = (lanes[number],)
    try:
        made = _make(state, change)
        lanes = (*lanes[:number], *state.lanes, *lanes[number + 1 :])
    finally:
        state.lanes = lanes
    return made


def _check_beside(other: Lane, change: Change) -> None:
    """See that a lane stays comparable with the `other` one after a change."""
    if change.name in OF_THE_FIRST:
        check_alike(other.network, change.value)
    if change.name == "neurons":
        check_count(change.value, len(other.neurons))


def _values(state: SessionState, change: Change) -> tuple[Any, ...] | None:
    """Return a setting's values in the lanes that a change is for; None for other changes."""
    if not is_of_chains(change.name):
        return None
    number = change.goes_to
    lanes = state.lanes if number is None else state.lanes[number : number + 1]
    return tuple(getattr(lane.settings, change.name) for lane in lanes)


def _log(state: SessionState, entry: LogEntry, after: tuple[Any, ...] | None = None) -> None:
    """Write a change down. Of one setting's values in a row within a step, the last is kept.

    Where that would be the value from before the first of them, nothing would be left to change on
    replay, while the chains were disturbed: then both are kept.
    """
    last = state.log[-1] if state.log else None
    if (
        last is not None
        and is_of_chains(entry.name)
        and (last.step, last.name, last.lane) == (entry.step, entry.name, entry.lane)
        and last.before not in (None, after)
    ):
        entry = replace(entry, before=last.before)
        state.log.pop()
    state.log.append(entry)


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "per chain"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _turn(state: SessionState, change: Callable[[Lane], Lane]) -> None:
    """Change all lanes, each of which draws the same numbers."""
    if len(state.lanes) == 1:
        state.lanes = (change(state.lane),)
        return
    before, turned = state.generators, []
    try:
        for lane in state.lanes:
            state.generators = before.clone()
            turned.append(change(lane))
    except BaseException:
        state.generators = before
        raise
    state.lanes = tuple(turned)


def _neurons(state: SessionState, value: Any) -> tuple[Any, str]:
    neurons = tuple(v if isinstance(v, Neuron) else Neuron.parse(v) for v in value)
    for neuron in neurons:
        state.lane.network.check(neuron)

    def look(lane: Lane) -> Lane:
        here = matched_or_kept(lane.network, neurons, lane.neurons)
        if lane is not state.lane and here is lane.neurons:
            return lane
        return look_at(lane, lane.network, here, state.device, state.generators, state.heat)

    _turn(state, look)
    names = [str(neuron) for neuron in neurons]
    return names, names[0] if len(set(names)) == 1 else f"{names[0]} ..."


def _network(state: SessionState, network: Network) -> tuple[Any, str]:
    network.to(state.device.name)
    before = state.lanes, state.discriminator, state.learner, state.real_images

    def swap(lane: Lane) -> Lane:
        try:
            neurons = tuple(network.check(neuron) for neuron in lane.neurons)
        except StudioError:
            neurons = network.default_neurons(len(lane.neurons))
        return look_at(lane, network, neurons, state.device, state.generators, state.heat)

    _turn(state, swap)
    if state.discriminator is not None and not suits(state.discriminator, network):
        state.discriminator, state.learner = None, None
    try:
        prepare_learner(state)
    except StudioError:
        state.lanes, state.discriminator, state.learner, state.real_images = before
        raise
    return network.reference, f"network {network.name}"


def _weights(state: SessionState, network: Network) -> tuple[Any, str]:
    """Put other weights under the running chains: pictures and averages go on and settle anew.

    The discriminator learns some rounds, as the classifier has changed (Jiang et al., arXiv
    1812.04604, section 4.2).
    """
    if network.layers != state.lane.network.layers:
        raise StudioError(
            f"The layers of {network.name} with {network.weights} are others than before; open it "
            "as another network."
        )
    network.to(state.device.name)

    def swap(lane: Lane) -> Lane:
        count = len(lane.neurons)
        measured = network.measures_field(lane.targets.layer)
        lane = replace(
            lane,
            network=network,
            targets=targets(network, lane.neurons) if measured else lane.targets,
            thresholds=burn_in_threshold.begin_again(lane.settings, count, state.device.name),
            waking=silent_neurons.begin(count, state.device.name),
        )
        return reheat(lane, state.device, state.heat)

    _turn(state, swap)
    state.lessons_due = state.discriminator_rounds
    where = network.name if network.weights is None else network.weights.name
    return network.reference, f"weights {where}"


def _discriminator(state: SessionState, model: DiscriminatorModel | None) -> tuple[Any, str]:
    if model is not None:
        if not suits(model, state.lane.network):
            raise StudioError(
                f"The discriminator {model.name} takes {model.images}, the network "
                f"{state.lane.network.name} of {state.lane.network.pixels.shape}; choose another."
            )
        model.module.to(state.device.name)
    before = state.discriminator, state.learner
    state.discriminator, state.learner = model, None
    try:
        prepare_learner(state)
    except StudioError:
        state.discriminator, state.learner = before
        raise
    _unsettle(state)
    return (None, "no discriminator") if model is None else (model.reference, "discriminator")


def _revert(state: SessionState, _value: Any) -> tuple[Any, str]:
    state.learner = None
    prepare_learner(state)
    _unsettle(state)
    return None, "discriminator as it was"


def _precision(state: SessionState, value: Any) -> tuple[Any, str]:
    if value != "float32":
        raise StudioError(f"A session may go on in float32 only, not in {value!r}; open another.")
    in_float32(state)
    return value, value


def _learn_every(state: SessionState, value: Any) -> tuple[Any, str]:
    every = _set_learning(state, "learn_every", value)
    return every, f"learning every {every}" if every else "learning off"


def _discriminator_rounds(state: SessionState, value: Any) -> tuple[Any, str]:
    rounds = _set_learning(state, "discriminator_rounds", value)
    # Fewer hold for what is under way, too.
    state.lessons_due = min(state.lessons_due, rounds)
    return rounds, f"{rounds} rounds per checkpoint"


def _set_learning(state: SessionState, name: str, value: Any) -> int:
    """Set when the discriminator learns, if it then can."""
    number: int = SETTINGS[name].check(value)
    before = getattr(state, name)
    setattr(state, name, number)
    try:
        prepare_learner(state)
    except StudioError:
        setattr(state, name, before)
        raise
    return number


def _unsettle(state: SessionState) -> None:
    state.lanes = tuple(reheat(lane, state.device, state.heat) for lane in state.lanes)


def _chains(state: SessionState, value: Any) -> tuple[Any, str]:
    count = SETTINGS["chains"].check(value)

    def fit(lane: Lane) -> Lane:
        known = list(dict.fromkeys(lane.neurons))
        # Few chains on many neurons spread over the layer when there is room for more of them.
        size = lane.network.layer(lane.targets.layer).neurons
        if len(known) > 1 and len(known) < size:
            known += [n for n in lane.network.spread(lane.targets.layer, size) if n not in known]
        neurons = list(lane.neurons[:count])
        while len(neurons) < count:
            neurons.append(known[len(neurons) % len(known)])
        return resize(lane, tuple(neurons), state.device, state.generators, state.heat)

    _turn(state, fit)
    return count, f"{count} chains"


def _seed(state: SessionState, value: Any) -> tuple[Any, str]:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise StudioError(f"The seed must be a whole number from 0 to 2^63 - 1, not {value!r}.")
    state.seed = value
    _start_anew(state)
    return value, f"seed {value}"


def _restart(state: SessionState, _value: Any) -> tuple[Any, str]:
    _start_anew(state)
    return None, "restart"


def _start_anew(state: SessionState) -> None:
    state.generators = Generators(state.seed, state.device.name)
    state.melting = 0

    def start(lane: Lane) -> Lane:
        numbers = range(len(lane.neurons))
        x = draw_starts(lane.network, lane.settings, state.generators, numbers)
        return begin(lane, x, state.device, state.heat)

    _turn(state, start)


def _reset_average(state: SessionState, value: Any) -> tuple[Any, str]:
    def reset(lane: Lane) -> Lane:
        which = ~lane.progress.done if value == "unfinished" else None
        return replace(lane, average=average.reset(lane.average, which))

    state.lanes = tuple(reset(lane) for lane in state.lanes)
    return value, "average reset"


def _melt(state: SessionState, value: Any) -> tuple[Any, str]:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_MELT:
        raise StudioError(f"Melting lasts from 0 to {MAX_MELT} steps, not {value!r}.")
    state.melting = value
    _unsettle(state)
    return value, "melt"


def _compare(state: SessionState, second: Second | None) -> tuple[Any, str]:
    if second is None:
        state.lanes = state.lanes[:1]
        return None, "comparison ended"
    first, beside = state.lane, make_second(state, second)
    if not second.restart:
        # With its burn-in kept, it would average samples that the second lane throws away.
        first = begin(first, first.chains.x, state.device, state.heat)
    state.lanes = (first, beside)
    if second.restart:
        _start_anew(state)
    return second.json(), f"compared with {second.network.name}"


_STRUCTURAL: dict[str, Callable[[SessionState, Any], tuple[Any, str]]] = {
    "neurons": _neurons,
    "network": _network,
    "weights": _weights,
    "discriminator": _discriminator,
    "revert_discriminator": _revert,
    "chains": _chains,
    "seed": _seed,
    "restart": _restart,
    "reset_average": _reset_average,
    "melt": _melt,
    "precision": _precision,
    "learn_every": _learn_every,
    "discriminator_rounds": _discriminator_rounds,
    "compare": _compare,
}
