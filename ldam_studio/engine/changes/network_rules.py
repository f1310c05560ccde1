"""What changes of networks and neurons mean for the outline of a session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes import chosen
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import (
    MOST_LANES,
    check_alike,
    check_count,
    checked,
    matched,
    matched_or_kept,
)
from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.engine.photo_statistics import Measured
    from ldam_studio.networks.network import Network


def neurons_of(value: Any) -> tuple[Neuron, ...]:
    """Return neurons, some of which may be given by their addresses."""
    return tuple(v if isinstance(v, Neuron) else Neuron.parse(v) for v in value)


def neurons(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Show the lanes neurons, the first of them exactly these; all chains start anew."""
    wanted = neurons_of(change.value)
    if len(wanted) > SETTINGS["chains"].maximum:
        raise StudioError(
            f"There are at most {SETTINGS['chains'].maximum:,.0f} chains, not {len(wanted):,}; "
            "choose fewer neurons."
        )
    if len(numbers) < len(outline.lanes):
        check_count(wanted, outline.chains)
    # The first of these lanes must have the neurons; the others follow if they can.
    checked(outline.lanes[numbers[0]].network, wanted)
    for number in numbers:
        lane = outline.lanes[number]
        shown = matched_or_kept(lane.network, wanted, lane.neurons)
        outline = outline.put(number, lane.looking_at(shown))
    return chosen.freed(outline)


def network(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Give a lane another network, with the neurons that match; what does not fit it is left."""
    (number,), network = numbers, change.value
    lane = outline.lanes[number]
    _check_beside(outline, number, network)
    neurons = matched(network, lane.neurons) or network.default_neurons(outline.chains)
    outline = chosen.freed(outline.put(number, replace(lane, network=network, neurons=neurons)))
    model = outline.discriminator
    if model is not None and not model.takes(network.pixels):
        outline = replace(outline, discriminator=None)
    rest = outline.rest
    if rest is not None and outline.pictures[rest].shape != network.pixels.shape:
        outline = replace(outline, rest=None)
    return outline


def weights(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Give a lane the same network with other weights."""
    (number,), network = numbers, change.value
    _check_beside(outline, number, network)
    if network.layers != outline.lanes[number].network.layers:
        raise StudioError(
            f"With {network.weights}, {network.name} has other layers than before; open it as "
            "another network."
        )
    return outline.put(number, replace(outline.lanes[number], network=network))


def statistics(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Give what was measured to all lanes with the network that it was measured for."""
    measured: Measured = change.value
    measured_on = [n for n in numbers if outline.lanes[n].network.sha256 == measured.network]
    if not measured_on:
        raise StudioError(
            "The photo statistics were measured for a network that is not in this session; measure "
            "them again."
        )
    # One file may have several sets of weights.
    same = [n for n in measured_on if outline.lanes[n].network.is_measured_by(measured.statistics)]
    for number in same or measured_on:
        lane = outline.lanes[number]
        network = lane.network.comparing(measured.statistics)
        outline = outline.put(number, replace(lane, network=network))
    return outline


def _check_beside(outline: Outline, number: int, network: Network) -> None:
    for other, lane in enumerate(outline.lanes):
        if other != number:
            check_alike(lane.network, network)


def discriminator(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Use another discriminator, or none."""
    model, network = change.value, outline.lanes[0].network
    if model is not None and not model.takes(network.pixels):
        raise StudioError(
            f"The discriminator {model.name} takes {model.images}, but the network {network.name} "
            f"takes images of {network.pixels.shape}; choose another."
        )
    return replace(outline, discriminator=model)


def compare(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Put a lane beside the first one, or remove those beside it."""
    spec, place, lanes = change.value, change.lane, outline.lanes
    # Without a position, the new lane replaces all lanes beside the first.
    before, behind = (lanes[:1], ()) if place is None else (lanes[:place], lanes[place + 1 :])
    if place is not None and not 1 <= place < min(MOST_LANES, len(lanes) + (spec is not None)):
        raise StudioError(
            f"Position {place} for another network is not free or does not exist; at most "
            f"{MOST_LANES} networks can be compared, numbered without gaps."
        )
    added = () if spec is None else (outline.with_lane(spec),)
    outline = replace(outline, lanes=(*before, *added, *behind))
    return outline if spec is None else chosen.freed(outline)
