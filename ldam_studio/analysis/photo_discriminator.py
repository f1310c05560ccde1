"""What a finished discriminator of natural images is measured at, for its card.

How surely it tells photographs from fresh chains that listen to it little and much, now that it is
frozen, and what it costs beside the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ldam_studio.commands.shared.progress import progress
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.sources.opening import DiscriminatorModel
from ldam_studio.sampler.langevin import value_and_gradient
from ldam_studio.sampler.presets import find_preset
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.photos import Photos, draw_crops

WEIGHTS, CHAINS, STEPS, REAL = (0.0, 0.25, 0.5, 0.75), 4, 120, 64
TIMED_IMAGES, TIMED_STEPS = 4, 5
TICK_S = 1e-4


def measure(
    network: Network, model: DiscriminatorModel, sources: Sequence[Photos], seed: int
) -> dict[str, str]:
    """Return figures and what they are of, at the network's own image size."""
    prepare(model.module)
    pixels = network.pixels
    draw = torch.Generator().manual_seed(seed)
    photos = draw_crops(sources, REAL, (pixels.height, pixels.width), draw).float() / 255
    scores = {f"{REAL} photographs": _scores(model.module, photos)}
    fresh = _chains(network, model, seed)
    for number, weight in enumerate(WEIGHTS):
        chains = fresh[number * CHAINS : (number + 1) * CHAINS]
        scores[f"{CHAINS} fresh chains at weight {weight:g}, {STEPS} steps"] = _scores(
            model.module, chains
        )
    figures = {
        f"mean probability of being a photograph: {name}": f"{float(value.mean()):.2f}"
        for name, value in scores.items()
    }
    ratio = cost(network, model.module)
    figures[f"its step's time, as part of {network.name}'s"] = f"{ratio:.0%}"
    return figures


@torch.no_grad()
def _scores(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([module(part).sigmoid() for part in images.split(16)])


def _chains(network: Network, model: DiscriminatorModel, seed: int) -> torch.Tensor:
    """Return fresh chains of classes spread over all, `CHAINS` at each of `WEIGHTS`."""
    last = network.layers[-1]
    classes = network.spread(last.name, last.neurons)
    count = CHAINS * len(WEIGHTS)
    neurons = tuple(classes[(i % CHAINS) * last.neurons // CHAINS] for i in range(count))
    values = find_preset("clean").values(network.pixels.shape, discriminator=True)
    weights = tuple(weight for weight in WEIGHTS for _ in range(CHAINS))
    settings = Settings.of(**{**values, "discriminator_weight": weights})
    device = Device()
    state = open_session(SessionSpec(network, neurons, settings, seed, model, device))
    with progress() as bar:
        task = bar.add_task("measuring", total=STEPS)
        for _ in range(STEPS):
            state, _ = advance(state)
            bar.advance(task)
    return state.lane.chains.x


def cost(network: Network, module: nn.Module) -> float:
    """Return the time of the module's value and gradient over that of the network's class units."""
    last = network.layers[-1].name
    images = torch.rand(
        (TIMED_IMAGES, *network.pixels.shape), generator=torch.Generator().manual_seed(0)
    )
    ours = _seconds(module, images)
    return ours / _seconds(lambda x: network.output(x, last).flatten(1)[:, 0], images)


def _seconds(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> float:
    """Return the least processor time of some calls."""
    evaluate, times = value_and_gradient(function), []
    for _ in range(TIMED_STEPS):
        began = time.process_time()
        evaluate(images)
        times.append(time.process_time() - began)
    return max(min(times), TICK_S)  # the clock of processor time may tick seldom
