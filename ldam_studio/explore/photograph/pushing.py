"""Pushing a photograph to a class: a counterfactual that stays near it.

Chains leave from the photograph and climb towards the class, with the photograph r as the rest
image that L2 pulls to. On digits and other small images they climb log p(B | x) - lam |x - r|^2
in exact mode and nearly without noise: the first part flattens once the network is convinced, so
that they stop near where its answer changes.

On photographs a network changes its answer long before anything is to be seen, at a hundredth of
the distance between two photographs, and no other network agrees. There the chains draw as the
preset *Clean* does, in random views, with the statistics of photographs and a little of the
denoiser. Natural L2 then holds them: since gradients are normalised, at a root-mean-square distance
of less than 1 / (2 mu).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ldam_studio.errors import StudioError, plain
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.presets import NO_PRIOR, NO_SCHEDULE, NO_VIEWS, PRESETS, is_large

STEPS, STEPS_ON_PHOTOGRAPHS = 150, 60
"""Steps after which nearly every image has reached its class."""

PUSH: Mapping[str, Any] = {
    "kernel": "langevin",
    "mode": "exact",
    "objective": "log-probability",
    "clamp": True,
    "step_size": 0.1,
    "temperature": 1e-4,
    "l2": 0.05,
    "natural_l2": 0.0,
    "spectrum": 0.0,
    "spectrum_floor": 0.0,
    "colour_correlation": 0.0,
    "discriminator_weight": 0.0,
    "smoothness": 0.0,
    "photo_statistics": 0.0,
    "jitter": 0,
    **NO_VIEWS,
    **NO_SCHEDULE,
    **NO_PRIOR,
    "window": 50,
}
"""What differs from the preset *Paper*, for small images and inner layers."""
ON_PHOTOGRAPHS: Mapping[str, Any] = {
    "kernel": "langevin",
    **NO_SCHEDULE,
    "step_size": 0.05,
    "temperature": 1e-5,
    "l2": 0.0,
    "natural_l2": 2.0,
    "smoothness": 0.0,
    "window": 20,
}
"""What differs from the preset *Clean*, for classes and images of the size of photographs.

Smoothness is left out, because it would change the photograph where nothing happens.
"""
INSIDE: Mapping[str, Any] = {
    "mode": "normalised",
    "objective": "activation",
    "step_size": 0.05,
    "l2": 5.0,
    "natural_l2": 0.0,
    "spectrum": 0.0,
}
"""What differs for neurons that are no classes: their activation has no end, so that its normalised
gradient balances L2 at a root-mean-square distance of about 1 / (2 lam) = 0.1."""


def push_settings(network: Network, neuron: Neuron) -> dict[str, Any]:
    """Return the settings for pushing a photograph to a neuron."""
    shape = network.pixels.shape
    is_class = neuron.layer == network.class_layer.name
    if is_class and is_large(shape):
        return PRESETS["clean"].values(shape, discriminator=False) | dict(ON_PHOTOGRAPHS)
    values = PRESETS["paper"].values(shape, discriminator=False) | dict(PUSH)
    return values if is_class else values | dict(INSIDE)


def neuron_called(network: Network, target: str) -> Neuron:
    """Return the neuron for the name or number of a class, or an address.

    Raises
    ------
    StudioError
        If there is none.
    """
    layer = network.class_layer
    names = [label.casefold() for label in network.labels]
    wanted = target.strip().casefold()
    if wanted in names:
        return Neuron(layer.name, names.index(wanted))
    if wanted.isdecimal() and int(wanted) < layer.neurons:
        return Neuron(layer.name, int(wanted))
    try:
        return network.check(Neuron.parse(target.strip()))
    except StudioError:
        raise StudioError(
            f"{network.name} has no class or neuron called {plain(target, 60)!r}; choose a class "
            "from the list, or write an address such as "
            f"{network.class_layer.name}:0."
        ) from None
