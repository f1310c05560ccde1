"""``ldam-studio paper fig9``: one class in several colour temperatures.

It shows averages of many chains of one neuron, sorted by their mean colour from cool to warm. A
class that was photographed in different light gives pictures in different light (Jiang et al.,
arXiv 1812.04604, section 6).
"""

from __future__ import annotations

import argparse
from math import ceil, sqrt

import torch
from torch import Tensor

from ldam_studio.analysis import cifar10
from ldam_studio.analysis.former import FORMER_COLOUR
from ldam_studio.analysis.intervals import bootstrap, deviation
from ldam_studio.analysis.judging import COLOUR, agreement
from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.twins import add_weights
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_count,
    add_output,
    rounded,
    row_of_pictures,
)
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import (
    CIFAR_DISCRIMINATOR,
    DiscriminatorModel,
    open_discriminator,
)
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.scripting.neurons import neurons_of
from ldam_studio.training.cifar10 import load_cifar10


def warmth(images: Tensor) -> Tensor:
    """Return how warm the mean colour of images (n, 3, H, W) is: red minus blue, (n,)."""
    means = images.mean((2, 3))
    return means[:, 0] - means[:, 2]


def sample(
    network: Network,
    neuron: Neuron,
    discriminator: DiscriminatorModel,
    weight: float,
    chains: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> Tensor:
    """Run new chains of one neuron; return their averages (chains, 3, H, W), the coolest first."""
    settings = cifar10.averaging(FORMER_COLOUR.change("discriminator_weight", weight), steps)
    device = Device()
    spec = SessionSpec(network, (neuron,) * chains, settings, seed, discriminator, device)
    images = run_on(open_session(spec), steps, on_step).lane.average.mean
    return images[warmth(images).argsort(stable=True)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_weights(parser)
    parser.add_argument(
        "--neuron", default="fc:7", metavar="LAYER:N", help="default: fc:7, the horse"
    )
    add_output(parser)
    add_count(parser, "--chains", 2, 48)
    add_count(parser, "--steps", 2, cifar10.STEPS)
    parser.add_argument(
        "--discriminator-weight",
        type=SETTINGS["discriminator_weight"].parse,
        default=0.75,
        metavar="N",
        help="default 0.75",
    )
    colour.add_discriminator(parser)
    colour.add_cifar10(parser)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample chains of the neuron, sort them by colour, and compare with real images."""
    network = open_network("vgg", args.weights)
    neuron = _class_neuron(network, args.neuron)
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    test = load_cifar10(args.data, "test", args.download)
    weight, chains = args.discriminator_weight, args.chains
    judge = open_judge(args.data, args.download, COLOUR)
    steps.start(args.steps)
    images = sample(network, neuron, discriminator, weight, chains, args.steps, args.seed, steps)
    real = warmth(test.pixels(test.labels == neuron.index))
    spreads = {"chains": bootstrap(warmth(images), deviation), "real": bootstrap(real, deviation)}
    asked = torch.full((chains,), neuron.index)
    judged = agreement(judge, images, asked)
    columns = ceil(sqrt(2 * chains))
    pictures = row_of_pictures(images, network.pixels, "image")
    lines = [pictures[start : start + columns] for start in range(0, chains, columns)]
    labels = ["cool", *[""] * (len(lines) - 2), "warm"][: len(lines)]
    return Page(
        sheet(lines, labels, [""] * columns),
        {
            "network": network.reference,
            "discriminator": discriminator.reference,
            "neuron": str(neuron),
            "label": network.label(neuron),
            "discriminator_weight": weight,
            "seed": args.seed,
            "steps": args.steps,
            "averaged_steps": min(args.steps, cifar10.WINDOW),
            "agreement": round(judged, 4),
            "mean_colours": [rounded(colours) for colours in images.mean((2, 3))],
            "red_minus_blue_deviation": {name: i.json() for name, i in spreads.items()},
        },
        [
            f"{network.label(neuron)}: standard deviation of red minus blue over {chains} chains "
            f"{spreads['chains']}, over {len(real)} real images {spreads['real']} (95 % bootstrap "
            f"interval); judge agrees {judged:.1%}"
        ],
    )


def _class_neuron(network: Network, text: str) -> Neuron:
    last = network.class_layer.name
    neurons = neurons_of([text], network)
    if len(neurons) != 1 or neurons[0].layer != last:
        raise StudioError(f"The figure needs one class neuron, for example {last}:0, not {text}.")
    return neurons[0]


run = Figure("fig9", "Figure 9", make).run
