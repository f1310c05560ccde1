"""Measures of a finished discriminator of natural images, for its model card.

They say how well the frozen discriminator distinguishes photographs from new chains at several
discriminator weights, and how long it takes compared with the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ldam_studio.analysis.former import FORMER_CLEAN
from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.prepare import prepare
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.photos import Photos, draw_crops

WEIGHTS, CHAINS, STEPS, REAL = (0.0, 0.25, 0.5, 0.75), 4, 120, 64
TIMED_IMAGES, TIMED_STEPS = 4, 5
TICK_S = 1e-4


def measure(
    network: Network,
    model: DiscriminatorModel,
    sources: Sequence[Photos],
    seed: int,
    on_step: OnStep = lambda: None,
) -> dict[str, str]:
    """Return figures by their descriptions, at the network's own image size.

    `on_step` is called after each of the `STEPS` of the chains.
    """
    prepare(model.module)
    pixels = network.pixels
    draw = torch.Generator().manual_seed(seed)
    photos = draw_crops(sources, REAL, (pixels.height, pixels.width), draw).float() / 255
    images = {f"{REAL} photographs": photos}
    fresh = _chains(network, model, seed, on_step)
    for weight, chains in zip(WEIGHTS, fresh.split(CHAINS), strict=True):
        images[f"{CHAINS} fresh chains at weight {weight:g}, {STEPS} steps"] = chains
    figures = {
        f"mean probability of being a photograph: {name}": f"{_mean_probability(model, each):.2f}"
        for name, each in images.items()
    }
    ratio = cost(network, model.module)
    figures[f"its step's time, as part of {network.name}'s"] = f"{ratio:.0%}"
    return figures


@torch.no_grad()
def _mean_probability(model: DiscriminatorModel, images: torch.Tensor) -> float:
    return float(torch.cat([model.module(part).sigmoid() for part in images.split(16)]).mean())


def _chains(
    network: Network, model: DiscriminatorModel, seed: int, on_step: OnStep
) -> torch.Tensor:
    """Return `CHAINS` new chains at each of `WEIGHTS`, with classes spread over all of them."""
    last = network.class_layer
    classes = network.spread(last.name, last.neurons)
    count = CHAINS * len(WEIGHTS)
    neurons = tuple(classes[(i % CHAINS) * last.neurons // CHAINS] for i in range(count))
    values = FORMER_CLEAN.values(network.pixels.shape, discriminator=True)
    weights = tuple(weight for weight in WEIGHTS for _ in range(CHAINS))
    settings = Settings.of(**{**values, "discriminator_weight": weights})
    device = Device()
    state = open_session(SessionSpec(network, neurons, settings, seed, model, device))
    return run_on(state, STEPS, on_step).lane.chains.x


def cost(network: Network, module: nn.Module) -> float:
    """Return the time for the module's value and gradient, as a share of the network's.

    For the network, it is the time for its class units.
    """
    last = network.class_layer.name
    images = torch.rand(
        (TIMED_IMAGES, *network.pixels.shape), generator=torch.Generator().manual_seed(0)
    )
    ours = _seconds(module, images)
    return ours / _seconds(lambda x: network.output(x, last).flatten(1)[:, 0], images)


def _seconds(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> float:
    """Return the shortest processor time of `TIMED_STEPS` calls."""
    evaluate, times = value_and_gradient(function), []
    for _ in range(TIMED_STEPS):
        began = time.process_time()
        evaluate(images)
        times.append(time.process_time() - began)
    return max(min(times), TICK_S)  # the clock of processor time may have a low resolution
