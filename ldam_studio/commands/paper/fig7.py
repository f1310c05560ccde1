"""``ldam-studio paper fig7``: the VGG on CIFAR-10 at several discriminator weights.

New chains of all classes run with the frozen discriminator, and once with the preset Clean, which
has a denoiser in its place. The numbers beside the picture say
whether a judge sees the intended class, how far the images are from real ones in the judge's
features, and whether the images of a class are as varied as real ones (Jiang et al., arXiv
1812.04604, section 6).
"""

from __future__ import annotations

import argparse

from ldam_studio.analysis import cifar10
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.twins import add_weights
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_chains,
    add_output,
    row_of_pictures,
)
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, open_discriminator
from ldam_studio.networks.sources.opening import open_network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_weights(parser)
    add_output(parser)
    add_chains(parser, chains=20, steps=cifar10.STEPS)
    colour.add_discriminator(parser)
    colour.add_cifar10(parser)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample and measure chains at each discriminator weight."""
    network = open_network("vgg", args.weights)
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    chains = args.chains_per_class
    yardstick = colour.yardstick_of(args)
    steps.start(args.steps * (len(cifar10.WEIGHTS) + 1))
    rows = [
        cifar10.sample(
            network, discriminator, yardstick, weight, chains, args.steps, args.seed, steps
        )
        for weight in cifar10.WEIGHTS
    ]
    clean = cifar10.sample(
        network, None, yardstick, 0.0, chains, args.steps, args.seed, steps, cifar10.CLEAN
    )
    lines = [
        row_of_pictures(row.pictures[::chains], network.pixels, "image") for row in (*rows, clean)
    ]
    return Page(
        sheet(lines, [*(f"w = {row.weight:g}" for row in rows), "Clean"], network.labels),
        {
            **cifar10.head(discriminator, yardstick, chains, args.steps, args.seed),
            "network": network.reference,
            "rows": [row.json() for row in rows],
            "clean": clean.json(),
        },
        colour.table([(network.name, rows), ("Clean, with a denoiser", [clean])], yardstick),
    )


run = Figure("fig7", "Figure 7", make).run
