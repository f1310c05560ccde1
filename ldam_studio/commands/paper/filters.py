"""``ldam-studio paper filters``: a network's first-layer filters beside the averages of chains.

A neuron of the first layer is linear in the pixels, so the average of its L2-regularised chains is
``rest + v / (2 l2)``, where ``v`` is the gradient in normalised units. Inside the receptive field,
``v`` is the filter divided by std. All neurons of the layer are sampled at once, each on the few
pixels that it sees. The numbers are the cosines between averages and filters (Jiang et al., arXiv
1812.04604, section 4).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import Figure, Page, add_count, add_output, row_of_pictures
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import tiles
from ldam_studio.networks.cropped import part_for
from ldam_studio.networks.inspect.filters import filter_cosine, first_layer_filter, inside
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.kernels.look import SMALLEST_RMS
from ldam_studio.sampler.settings import Settings

NETWORK = "torchvision:alexnet"

BURN_IN = 100
"""Number of steps before averaging: five times 1 / (step size * L2), in which a linear chain
forgets its start."""

SETTINGS = Settings.of(
    mode="normalised",
    step_size=0.1,
    temperature=0.01,
    l2=0.5,
    clamp=False,
    burn_in=BURN_IN,
    threshold=0.0,
)

PORTION_VALUES = 64 * 3 * 224 * 224
"""Number of pixel values that are sampled at once if whole images are needed."""

PICTURE = 44
"""Smallest side of a filter on the page, in pixels."""


@dataclass(frozen=True)
class Compared:
    """A first-layer filter and its neuron's average, (C, h, w) inside the receptive field.

    `kernel` is the filter divided by std and `norm` its norm. `average` is in pixel units. `cosine`
    is None for a filter that counts as zero.
    """

    neuron: Neuron
    kernel: Tensor
    average: Tensor
    norm: float
    cosine: float | None

    def json(self) -> dict[str, Any]:
        """Return the numbers in JSON's types."""
        cosine = None if self.cosine is None else round(self.cosine, 5)
        return {"neuron": str(self.neuron), "norm": float(f"{self.norm:.4g}"), "cosine": cosine}


def first_layer(network: Network) -> tuple[Neuron, ...]:
    """Return the neurons whose filters can be computed from their weights.

    Raises
    ------
    StudioError
        If the network's first layer has no filters, or its central unit does not see a whole
        filter.
    """
    for layer in network.layers:
        kernel = first_layer_filter(network, Neuron(layer.name, 0))
        if kernel is None:
            continue
        seen = inside(torch.empty(network.pixels.shape), network.receptive_field(layer.name))
        if seen.shape != kernel.shape:
            raise StudioError(
                f"A unit at the centre of {network.name}'s layer {layer.name} sees only a part of "
                "its filter; open the network with larger images."
            )
        return network.spread(layer.name, layer.neurons)
    raise StudioError(
        f"{network.name} has no first-layer filters: its layer {network.layers[0].name} "
        f"({network.layers[0].kind}) is neither a full convolution nor fully connected."
    )


def portions(network: Network, neurons: Sequence[Neuron]) -> list[Sequence[Neuron]]:
    """Return groups of neurons that are sampled together.

    There is one group if a part of the image is enough.
    """
    count = len(neurons)
    if part_for(network, neurons[0].layer) is None:
        count = max(1, PORTION_VALUES // math.prod(network.pixels.shape))
    return [neurons[first : first + count] for first in range(0, len(neurons), count)]


def averages(
    network: Network,
    neurons: Sequence[Neuron],
    steps: int,
    seed: int,
    device: Device,
    on_step: OnStep = lambda: None,
) -> Iterator[Tensor]:
    """Run one chain for each of the first layer's neurons; yield their averages, (C, H, W).

    Only the pixels that the neurons see are sampled; all others keep the rest colour. If the
    network cannot be run on a part of its image, whole images are sampled, in `portions`.
    """
    part = part_for(network.to(device.name), neurons[0].layer)
    for portion in portions(network, neurons):
        if part is None:
            yield from _sample(network, portion, steps, seed, device, on_step)
            continue
        moved = [part.neuron(neuron.index) for neuron in portion]
        for mean in _sample(part.network, moved, steps, seed, device, on_step):
            yield part.on_the_whole(mean[None], network.pixels.shape)[0]


def _sample(
    network: Network,
    neurons: Sequence[Neuron],
    steps: int,
    seed: int,
    device: Device,
    on_step: OnStep,
) -> Tensor:
    spec = SessionSpec(network, tuple(neurons), SETTINGS, seed, device=device)
    return run_on(open_session(spec), steps, on_step).lane.average.mean.cpu()


def compare(network: Network, neurons: Sequence[Neuron], means: Iterable[Tensor]) -> list[Compared]:
    """Compare each neuron's average (C, H, W) with its filter.

    A filter counts as zero if its root-mean-square in pixel units is below `SMALLEST_RMS`: the
    sampler does not normalise such small gradients, so that the average would be only noise.
    """
    found = []
    for neuron, mean in zip(neurons, means, strict=True):
        kernel = first_layer_filter(network, neuron)
        assert kernel is not None
        norm = float(kernel.norm())
        zero = norm < SMALLEST_RMS * kernel.numel() ** 0.5
        cosine = None if zero else filter_cosine(network, neuron, mean)
        field = network.receptive_field(neuron.layer)
        found.append(Compared(neuron, kernel, inside(mean, field).clone(), norm, cosine))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, NETWORK)
    parser.epilog = f"Without --network: {NETWORK}."
    parser.add_argument("--untrained", action="store_true", help="keep the random initial weights")
    add_count(
        parser,
        "--steps",
        BURN_IN + 1,
        400,
        f"steps of each chain; those after the first {BURN_IN} are averaged",
    )
    add_output(parser)
    flags.add_device(parser, reproducible=True)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample all neurons of the first layer, and compare each average with its filter."""
    device = flags.device_of(args)
    network = flags.network_of(args, untrained=args.untrained)
    neurons = first_layer(network)
    steps.start(args.steps * len(portions(network, neurons)))
    means = averages(network, neurons, args.steps, args.seed, device, steps)
    compared = compare(network, neurons, means)
    return Page(
        _picture(network, compared),
        {
            "network": network.reference,
            "layer": neurons[0].layer,
            "seed": args.seed,
            "steps": args.steps,
            "burn_in": BURN_IN,
            "machine": device.json(),
            "summary": summary(compared),
            "filters": [one.json() for one in compared],
        },
        [in_words(network, compared)],
    )


def summary(compared: Sequence[Compared]) -> dict[str, Any]:
    """Return the number of filters, the number that count as zero, and cosines of the others."""
    cosines = torch.tensor([one.cosine for one in compared if one.cosine is not None])
    found: dict[str, Any] = {"filters": len(compared), "zero": len(compared) - len(cosines)}
    if len(cosines):
        found["least_cosine"] = round(float(cosines.min()), 5)
        found["median_cosine"] = round(float(cosines.median()), 5)
    return found


def in_words(network: Network, compared: Sequence[Compared]) -> str:
    """Return the summary as text."""
    found = summary(compared)
    layer = compared[0].neuron.layer
    zero = f", {found['zero']} of them zero" if found["zero"] else ""
    head = f"{network.name} {layer}: {found['filters']} filters{zero}"
    if "least_cosine" not in found:
        return head
    worst = min(compared, key=lambda one: 1.0 if one.cosine is None else one.cosine)
    return (
        f"{head}; cosine of the average with the filter: least {found['least_cosine']:.4f} "
        f"({worst.neuron}), median {found['median_cosine']:.4f}"
    )


def _picture(network: Network, compared: Sequence[Compared]) -> bytes:
    pixels = network.pixels
    groups, captions = [], []
    for one in compared:
        both = torch.stack((one.kernel + pixels.rest, one.average))
        groups.append(row_of_pictures(both, pixels, "signed"))
        cosine = "zero" if one.cosine is None else f"{one.cosine:.4f}"
        captions.append(f"{one.neuron.index}: {cosine}")
    side = max(compared[0].kernel.shape[1:])
    title = f"{network.name.rpartition(':')[2]} {compared[0].neuron.layer}: filter, average, cosine"
    return tiles(title, groups, captions, max(1, -(-PICTURE // side)))


run = Figure("filters", "filters", make).run
