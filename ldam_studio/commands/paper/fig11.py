"""``ldam-studio paper fig11``: two architectures side by side, with discriminator, L2 and average.

Both networks show the same classes, averaged over a window of frames. Below each picture are the
pixels on which the class neuron's gradient is concentrated: the smallest set with 90 % of its
energy. The paper sees smaller fields in ResNet than in AlexNet (Jiang et al., arXiv 1812.04604);
this command measures which share of the pixels they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.analysis.intervals import Interval, bootstrap, median
from ldam_studio.analysis.sampling import OnStep
from ldam_studio.commands.paper import photographs
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import Figure, Page, add_count
from ldam_studio.commands.shared.neurons import spread_classes
from ldam_studio.commands.shared.progress import Steps, download
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import DiscriminatorModel, discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.settings import SETTINGS, Settings

VARIANTS = (
    "Weights for a variant of an architecture, for example with other strides, need that variant: "
    "name a function that builds it, as FILE.py:FUNCTION, and give the module an attribute "
    "`pixels` (channels, height, width, mean, std) that describes its input."
)

HELD = 0.9
"""Share of the gradient's energy in the marked pixels."""

EVERY = 10
"""Number of frames between two measurements along the chain."""

FADED = 0.15
"""Opacity of unmarked pixels, on white."""


@dataclass(frozen=True)
class Side:
    """One network's chains, one for each class neuron.

    Attributes
    ----------
    averages
        Averages over the window, (neurons, C, H, W).
    gradients
        Gradients of the class neurons at the averages, of the same shape.
    at_average, along
        Share of the pixels with 90 % of the gradient's energy, (neurons,): at the average, and as a
        mean over frames of the window. NaN if the gradient is 0.
    activation
        Activation of the class neurons at the averages, (neurons,).
    """

    averages: Tensor
    gradients: Tensor
    at_average: Tensor
    along: Tensor
    activation: Tensor


def held(gradients: Tensor, part: float = HELD) -> Tensor:
    """Mark the smallest set of pixels with a part of the energy: (n, C, H, W) -> bool (n, H, W).

    A pixel's energy is the sum of squares over its channels. No pixel is marked if all energies are
    0.
    """
    energy = gradients.double().square().sum(1)
    ordered, places = energy.flatten(1).sort(dim=1, descending=True, stable=True)
    before = ordered.cumsum(1) - ordered
    wanted = before < part * ordered.sum(1, keepdim=True)
    marked = torch.zeros_like(wanted).scatter(1, places, wanted)
    return marked.reshape(energy.shape)


def share(gradients: Tensor) -> Tensor:
    """Return the share of the pixels that `held` marks, (n,); NaN if the gradient is 0."""
    found = held(gradients).double().mean((1, 2))
    return found.where(found > 0, torch.full_like(found, torch.nan))


def sample(
    network: Network,
    neurons: Sequence[Neuron],
    discriminator: DiscriminatorModel | None,
    settings: Settings,
    seed: int,
    device: Device,
    steps: int,
    on_step: OnStep = lambda: None,
) -> Side:
    """Run a chain for each class neuron, and measure where its gradient is concentrated."""
    spec = SessionSpec(network, tuple(neurons), settings, seed, discriminator, device)
    state = open_session(spec)
    gradient = value_and_gradient(state.lane.activation)
    along = []
    for number in range(steps):
        state, _ = advance(state)
        on_step()
        # Frames are counted from the end, so that the last one is measured.
        if number >= int(settings.burn_in) and (steps - 1 - number) % EVERY == 0:
            along.append(share(gradient(state.lane.chains.x)[1]))
    mean = state.lane.average.mean
    activation, at_average = gradient(mean)
    return Side(
        averages=mean.cpu(),
        gradients=at_average.cpu(),
        at_average=share(at_average).cpu(),
        along=torch.stack(along).nanmean(0).cpu(),
        activation=activation.cpu(),
    )


def interval(shares: Tensor) -> Interval | None:
    """Return the median of the finite shares, with its bootstrap interval; None without any."""
    there = shares[shares.isfinite()]
    return bootstrap(there, median) if len(there) else None


def summary(network: Network, side: Side) -> dict[str, Any]:
    """Return one network's numbers in JSON's types."""
    medians = {"at_average": side.at_average, "along_chain": side.along}
    found: dict[str, Any] = {"network": network.reference}
    for name, shares in medians.items():
        middle = interval(shares)
        found[name] = None if middle is None else middle.json()
    found["without_gradient"] = int((~side.at_average.isfinite()).sum())
    found["by_class"] = {
        name: [round(value, 5) if value == value else None for value in shares.tolist()]
        for name, shares in {**medians, "activation": side.activation}.items()
    }
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    photographs.add_common(parser)
    parser.epilog = f"{parser.epilog} {VARIANTS}"
    parser.add_argument(
        "--against",
        default="torchvision:resnet50",
        metavar="NAME",
        help="the second network, named like the first one. Default: torchvision:resnet50",
    )
    parser.add_argument("--against-weights", type=Path, metavar="FILE", help="its weights")
    parser.add_argument(
        "--discriminator-weight",
        type=SETTINGS["discriminator_weight"].parse,
        default=0.75,
        metavar="N",
        help="0 uses no discriminator. Default: 0.75, as in the paper",
    )
    add_count(parser, "--classes", 1, 8, "number of classes, spread evenly over all")


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample the classes in both networks, and compare where their gradients are concentrated."""
    device, preset = flags.device_of(args), photographs.preset_of(args)
    networks = (flags.network_of(args), _against(args))
    outputs = [network.class_layer.neurons for network in networks]
    if len(set(outputs)) > 1:
        raise StudioError(
            f"{networks[0].name} has {outputs[0]} classes, {networks[1].name} has {outputs[1]}; "
            "choose two networks with the same classes."
        )
    weight = args.discriminator_weight
    settings = [
        photographs.settings_of(args, preset, network.pixels, weight) for network in networks
    ]
    neurons = [spread_classes(network, args.classes) for network in networks]
    discriminators = [_discriminator(network, args) for network in networks]
    length = args.steps + args.window
    steps.start(length * len(networks))
    sides = [
        sample(*side, args.seed, device, length, steps)
        for side in zip(networks, neurons, discriminators, settings, strict=True)
    ]
    labels = _labels(networks, neurons)
    difference = interval(sides[1].at_average - sides[0].at_average)
    return Page(
        _picture(networks, sides, settings, labels),
        {
            "discriminator": None if discriminators[0] is None else discriminators[0].reference,
            "discriminator_weight": weight,
            "seed": args.seed,
            "preset": preset.name,
            "steps": args.steps,
            "window": args.window,
            "machine": device.json(),
            "classes": [neuron.index for neuron in neurons[0]],
            "labels": labels,
            "share_of_energy": HELD,
            "networks": [summary(*both) for both in zip(networks, sides, strict=True)],
            "second_minus_first_at_average": None if difference is None else difference.json(),
        },
        _table(networks, sides, difference),
    )


def _against(args: argparse.Namespace) -> Network:
    with download(args.against) as on_bytes:
        return open_network(args.against, args.against_weights, Options(on_bytes=on_bytes))


def _discriminator(network: Network, args: argparse.Namespace) -> DiscriminatorModel | None:
    if not args.discriminator_weight:
        return None
    return discriminator_of(
        network, args.discriminator_weights, "use none, with --discriminator-weight 0"
    )


def _labels(networks: Sequence[Network], neurons: Sequence[Sequence[Neuron]]) -> list[str]:
    """Return the classes' names, from the first network that has names for them."""
    chosen = 0 if networks[0].labels or not networks[1].labels else 1
    return [networks[chosen].label(neuron) for neuron in neurons[chosen]]


def _picture(
    networks: Sequence[Network],
    sides: Sequence[Side],
    settings: Sequence[Settings],
    labels: Sequence[str],
) -> bytes:
    lines: list[list[Bytes]] = []
    words: list[str] = []
    for network, side, one in zip(networks, sides, settings, strict=True):
        shown = photographs.pictures(side.averages, network.pixels, one)
        marked = held(side.gradients).numpy()
        lines += [shown, [_faded(*both) for both in zip(shown, marked, strict=True)]]
        words += [photographs.short_name(network), f"{HELD:.0%} of its gradient"]
    return sheet(lines, words, labels, max(photographs.zoom_for(n.pixels) for n in networks))


def _faded(image: Bytes, mask: NDArray[np.bool_]) -> Bytes:
    """Return (H, W, 3) with the pixels outside the mask faded towards white."""
    faint = 255 - FADED * (255.0 - image)
    return np.where(mask[..., None], image, faint.round()).astype(np.uint8)


def _table(
    networks: Sequence[Network], sides: Sequence[Side], difference: Interval | None
) -> list[str]:
    names = [photographs.short_name(network) for network in networks]
    width = max(map(len, names))
    return [
        f"share of the pixels that hold {HELD:.0%} of the gradient's energy, median of "
        f"{len(sides[0].averages)} classes (95 % bootstrap interval):",
        *(
            f"{name:{width}}  at the average {interval(side.at_average)}, "
            f"along the chain {interval(side.along)}"
            for name, side in zip(names, sides, strict=True)
        ),
        f"second minus first, class by class, at the average: {difference}",
    ]


run = Figure("fig11", "Figure 11", make).run
