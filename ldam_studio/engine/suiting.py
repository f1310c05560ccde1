"""Settings that suit neurons: they follow what the neurons see, and whether they are classes.

Jitter and other views are made to suit the receptive field (`views_of`, see `sampler.views`).
Smoothness follows the field's size: total variation grows as a pattern's outline, the activation's
share of the image as its area, so that the same pattern at a tenth of the size needs a tenth of the
weight. A discriminator judges whole pictures and has nothing to say about the patterns of inner
layers.

The values are ordinary changes of settings, made when neurons are chosen. Nothing is remembered:
neurons that see ten times as much get ten times the weight, whoever has set it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ldam_studio.engine.outline import LaneOutline
from ldam_studio.engine.parts import WHOLE
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import PerChain, Settings
from ldam_studio.sampler.views import more_than_shifts, share_seen

EACH_ALONE: dict[str, Any] = {"average_over": "time", "average_group": 0}
"""Settings with which each chain shows its own average, as opposed to some chains together."""

WEIGHT, SMOOTHNESS, VIEWS_OF = "discriminator_weight", "smoothness", "views_of"


def are_classes(network: Network, neurons: Sequence[Neuron]) -> bool:
    """Return whether the neurons, all of one layer, belong to what the network returns."""
    return neurons[0].layer in (network.class_layer.name, *network.listing.outputs)


def share_of(network: Network, neurons: Sequence[Neuron]) -> float | None:
    """Return the share of the image's side that neurons see; None if it would take a measurement.

    A measurement may take seconds.
    """
    layer = neurons[0].layer
    placed = any(neuron.place is not None for neuron in neurons)
    if network.measures_field(layer) and (placed or not network.knows_field(layer)):
        return None
    fields = [network.receptive_field(layer, place) for place in {n.place for n in neurons}]
    return share_seen(fields, (network.pixels.height, network.pixels.width))


def suited(lane: LaneOutline, neurons: Sequence[Neuron], judged: Any = None) -> dict[str, Any]:
    """Return the settings that change when a lane turns to other neurons, by name.

    Parameters
    ----------
    lane
        The lane with its former neurons.
    neurons
        The neurons that it turns to.
    judged
        The weight that the discriminator gets back when the lane turns from an inner layer, where
        it had none, to classes.
    """
    network, settings = lane.network, lane.settings
    found = suited_to(network, neurons, settings, share_of(network, lane.neurons))
    inner, was_inner = (not are_classes(network, some) for some in (neurons, lane.neurons))
    weighs = _weighs(settings.discriminator_weight)
    if inner and not was_inner and weighs:
        found[WEIGHT] = 0.0
    if was_inner and not inner and not weighs and judged is not None:
        found[WEIGHT] = judged
    if isinstance(settings.average_group, tuple) and tuple(neurons) != lane.neurons:
        found |= EACH_ALONE  # the groups were those of the former neurons' images
    return found


def suited_to(
    network: Network, neurons: Sequence[Neuron], settings: Settings, before: float | None = 1.0
) -> dict[str, Any]:
    """Return views and smoothness that suit neurons, as far as they differ, by name.

    The `settings` suit neurons that see the share `before` of the image's side.
    """
    found: dict[str, Any] = {}
    share = share_of(network, neurons)
    if share is None or before is None:
        return found
    varies = settings.jitter > 0 or more_than_shifts(settings)
    if share < WHOLE and varies and settings.views_of == "image":
        found[VIEWS_OF] = "field"
    smoothness = _scaled(settings.smoothness, share / before)
    if smoothness != settings.smoothness:
        found[SMOOTHNESS] = smoothness
    return found


def in_words(values: Mapping[str, Any], layer: str) -> str:
    """Return one sentence about values that were suited to a layer; empty without any."""
    follow = ["views"] if VIEWS_OF in values else []
    if SMOOTHNESS in values:
        follow.append(f"smoothness, now {_worded(values[SMOOTHNESS])},")
    clauses = []
    if follow:
        verb = "follows" if follow[0] != "views" else "follow"
        clauses.append(f"{' and '.join(follow)} {verb} the part of the image that {layer} sees")
    if WEIGHT in values and not _weighs(values[WEIGHT]):
        clauses.append("the discriminator, which judges whole pictures, has no weight")
    elif WEIGHT in values:
        clauses.append(f"the discriminator has its weight of {_worded(values[WEIGHT])} again")
    if not clauses:
        return ""
    said = ", and ".join(clauses)
    return f"{said[0].upper()}{said[1:]}; undoing the choice takes this back."


def _scaled(value: PerChain, factor: float) -> PerChain:
    """Return a value times a factor, so that a factor and its inverse give the value again."""
    if isinstance(value, tuple):
        return tuple(_times(each, factor) for each in value)
    return _times(value, factor)


def _times(value: float, factor: float) -> float:
    return value if factor == 1 else float(f"{value * factor:.4g}")


def _weighs(weight: Any) -> bool:
    return any(weight) if isinstance(weight, tuple) else weight > 0


def _worded(value: Any) -> str:
    return "different for each chain" if isinstance(value, tuple) else f"{value:g}"
