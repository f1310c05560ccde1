"""``ldam-studio paper fig8``: the VGG on CIFAR-10 with averaged parameters and discriminator.

The network after its last epoch and its twin with averaged parameters have the same starts and
noise; the twin is also run with the discriminator. The numbers are those of ``paper fig7`` (Jiang
et al., arXiv 1812.04604, section 6).
"""

from __future__ import annotations

import argparse

from ldam_studio.analysis import cifar10
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.twins import add_twins, open_twins
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

SHOWN = 0.75
"""The discriminator weight in the picture."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_twins(parser)
    add_output(parser)
    add_chains(parser, chains=20, steps=cifar10.STEPS)
    colour.add_discriminator(parser)
    colour.add_cifar10(parser)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample and measure chains on the network, and on its twin at each discriminator weight."""
    base, averaged = open_twins(args, "vgg")
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    chains = args.chains_per_class
    yardstick = colour.yardstick_of(args)
    jobs = [(base, 0.0), *((averaged, weight) for weight in cifar10.WEIGHTS)]
    steps.start(args.steps * len(jobs))
    plain, *rows = (
        cifar10.sample(
            network, discriminator, yardstick, weight, chains, args.steps, args.seed, steps
        )
        for network, weight in jobs
    )
    shown = {
        "base": plain,
        "averaged": rows[0],
        f"averaged, w = {SHOWN:g}": rows[cifar10.WEIGHTS.index(SHOWN)],
    }
    lines = [
        row_of_pictures(row.pictures[::chains], base.pixels, "image") for row in shown.values()
    ]
    return Page(
        sheet(lines, list(shown), base.labels),
        {
            **cifar10.head(discriminator, yardstick, chains, args.steps, args.seed),
            "base": base.reference,
            "averaged": averaged.reference,
            "base_row": plain.json(),
            "averaged_rows": [row.json() for row in rows],
        },
        colour.table([(base.name, [plain]), (averaged.name, rows)], yardstick),
    )


run = Figure("fig8", "Figure 8", make).run
