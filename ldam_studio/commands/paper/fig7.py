"""``ldam-studio paper fig7``: the VGG on CIFAR-10 with a discriminator, from none to much of it.

Fresh chains of all classes under the frozen discriminator. Beside the picture, in numbers: does a
judge see the class that was asked for, how far are the images from real ones in the judge's
features, and are the images of a class as varied as real ones (Jiang et al., arXiv 1812.04604,
section 6)?
"""

from __future__ import annotations

import argparse
from functools import partial

from ldam_studio import __version__
from ldam_studio.analysis import cifar10
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.flags import add_twins, write_figure
from ldam_studio.commands.shared.progress import INTERRUPTED, in_turn
from ldam_studio.export.sheet import sheet
from ldam_studio.files import check_folder
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, open_discriminator
from ldam_studio.networks.sources.opening import open_network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_twins(parser, chains_per_class=20, steps=cifar10.STEPS, averaged=False)
    colour.add_discriminator(parser)
    colour.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, measure, write ``fig7.png`` and ``fig7.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights or data are missing or damaged, a file cannot be written.
    """
    check_folder(args.out)
    network = open_network("vgg", args.weights)
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    chains, steps = args.chains_per_class, args.steps
    yardstick = colour.yardstick_of(args)
    jobs = [
        partial(cifar10.sample, network, discriminator, yardstick, weight, chains, steps, args.seed)
        for weight in cifar10.WEIGHTS
    ]
    rows = in_turn("Figure 7", steps * len(jobs), jobs)
    if rows is None:
        return INTERRUPTED
    lines = [colour.first_of_each(network, row.pictures, chains) for row in rows]
    write_figure(
        args.out,
        "fig7",
        sheet(lines, [f"w = {row.weight:g}" for row in rows], network.labels),
        {
            "version": __version__,
            **cifar10.head(discriminator, yardstick, chains, steps, args.seed),
            "network": network.reference,
            "rows": [row.json() for row in rows],
        },
    )
    print("\n".join(colour.table([(network.name, rows)], yardstick)))
    return 0
