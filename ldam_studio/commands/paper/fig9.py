"""``ldam-studio paper fig9``: one class in several colour temperatures.

Samples of one neuron over many chains, sorted by their mean colour from cool to warm: a class that
is seen in many lights draws pictures in many lights (Jiang et al., arXiv 1812.04604, section 6).
"""

from __future__ import annotations

import argparse
from functools import partial
from math import ceil, sqrt
from pathlib import Path

import torch
from torch import Tensor

from ldam_studio import __version__
from ldam_studio.analysis import cifar10
from ldam_studio.analysis.intervals import bootstrap, deviation
from ldam_studio.analysis.judging import COLOUR, agreement
from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.flags import add_output, write_figure
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.flags import whole_number
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import INTERRUPTED, in_turn
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.files import check_folder
from ldam_studio.networks.discriminators import (
    CIFAR_DISCRIMINATOR,
    DiscriminatorModel,
    open_discriminator,
)
from ldam_studio.networks.network import Network, Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import SETTINGS
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
    """Run fresh chains of one neuron; return their averages (chains, 3, H, W), cool ones first."""
    settings = cifar10.averaging(
        cifar10.COLOUR_SETTINGS.change("discriminator_weight", weight), steps
    )
    device = Device()
    spec = SessionSpec(network, (neuron,) * chains, settings, seed, discriminator, device)
    images = run_on(open_session(spec), steps, on_step).lane.average.mean
    return images[warmth(images).argsort(stable=True)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="in place of the shipped ones")
    parser.add_argument(
        "--neuron", default="fc:7", metavar="LAYER:N", help="default: fc:7, the horse"
    )
    add_output(parser)
    for name, most, default in (("--chains", 10_000, 48), ("--steps", 1_000_000, cifar10.STEPS)):
        parser.add_argument(
            name,
            type=whole_number(name, 2, most),
            default=default,
            metavar="N",
            help=f"default {default}",
        )
    parser.add_argument(
        "--discriminator-weight",
        type=SETTINGS["discriminator_weight"].parse,
        default=0.75,
        metavar="N",
        help="default 0.75",
    )
    colour.add_discriminator(parser)
    colour.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, sort, write ``fig9.png`` and ``fig9.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, there is no such class neuron, weights or data are missing or
        damaged, a file cannot be written.
    """
    check_folder(args.out)
    network = open_network("vgg", args.weights)
    neuron = _class_neuron(network, args.neuron)
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    test = load_cifar10(args.data, "test", args.download)
    weight, chains, steps = args.discriminator_weight, args.chains, args.steps
    job = partial(sample, network, neuron, discriminator, weight, chains, steps, args.seed)
    found = in_turn("Figure 9", steps, [job])
    if found is None:
        return INTERRUPTED
    (images,) = found
    real = warmth(test.pixels(test.labels == neuron.index))
    spreads = {"chains": bootstrap(warmth(images), deviation), "real": bootstrap(real, deviation)}
    asked = torch.full((chains,), neuron.index)
    judged = agreement(open_judge(args.data, args.download, COLOUR), images, asked)
    columns = ceil(sqrt(2 * chains))
    pictures = [to_bytes(image.numpy(), network.pixels, "image") for image in images]
    lines = [pictures[start : start + columns] for start in range(0, chains, columns)]
    write_figure(
        args.out,
        "fig9",
        sheet(lines, ["cool", *[""] * (len(lines) - 2), "warm"][: len(lines)], [""] * columns),
        {
            "version": __version__,
            "network": network.reference,
            "discriminator": discriminator.reference,
            "neuron": str(neuron),
            "label": network.label(neuron),
            "discriminator_weight": weight,
            "seed": args.seed,
            "steps": steps,
            "averaged_steps": min(steps, cifar10.WINDOW),
            "agreement": round(judged, 4),
            "mean_colours": [[round(v, 4) for v in c] for c in images.mean((2, 3)).tolist()],
            "red_minus_blue_deviation": {name: i.json() for name, i in spreads.items()},
        },
    )
    print(
        f"{network.label(neuron)}: standard deviation of red minus blue over {chains} chains "
        f"{spreads['chains']}, over {len(real)} real images {spreads['real']} (95 % bootstrap "
        f"interval); judge agrees {judged:.1%}"
    )
    return 0


def _class_neuron(network: Network, text: str) -> Neuron:
    last = network.layers[-1].name
    neurons = [network.check(neuron) for neuron in flags.neurons_of([text], network)]
    if len(neurons) != 1 or neurons[0].layer != last:
        raise StudioError(f"The figure is of one class neuron, such as {last}:0, not {text}.")
    return neurons[0]
