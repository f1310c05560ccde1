"""Neurons that see only a part of the image, and how schedules treat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.schedule import follows
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import share_seen

WHOLE = 0.95
"""The share of the image's side from which on neurons count as seeing the whole image; strides
leave a row or a column out."""


def see_a_part(network: Network, neurons: Sequence[Neuron], settings: Settings) -> bool:
    """Return whether neurons see only a part of the images at the settings' own resolution."""
    final = network.at_side(settings.resolution) or network
    asked = dict.fromkeys((n.layer, n.place) for n in final.seen_from(network, neurons))
    fields = [final.receptive_field(layer, place) for layer, place in asked]
    return share_seen(fields, (final.pixels.height, final.pixels.width)) < WHOLE


def scheduled(network: Network, neurons: Sequence[Neuron], settings: Settings) -> Settings:
    """Return the settings that a schedule follows for these neurons.

    If they see only a part of the image, it does not change the resolution: their receptive field
    has the same number of pixels at any resolution, so that a picture that formed in it at a lower
    one would be too coarse for it afterwards.
    """
    if follows(settings, "resolution") and see_a_part(network, neurons, settings):
        return replace(settings, resolution_start=0, resolution_curve="")
    return settings
