"""``ldam-studio paper fig8``: the VGG on CIFAR-10 as it is, averaged, averaged with discriminator.

The same starts and noise in the network as its training ended and in its twin with averaged
parameters, which is also steered by the discriminator; with the numbers of ``paper fig7`` (Jiang et
al., arXiv 1812.04604, section 6).
"""

from __future__ import annotations

import argparse
from functools import partial

from ldam_studio import __version__
from ldam_studio.analysis import cifar10
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.flags import add_twins, open_twins, write_figure
from ldam_studio.commands.shared.progress import INTERRUPTED, in_turn
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, open_discriminator

SHOWN = 0.75
"""The discriminator weight that is printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_twins(parser, chains_per_class=20, steps=cifar10.STEPS)
    colour.add_discriminator(parser)
    colour.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, measure, write ``fig8.png`` and ``fig8.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights or data are missing or damaged, a file cannot be written.
    """
    base, averaged = open_twins(args, "vgg")
    discriminator = open_discriminator(CIFAR_DISCRIMINATOR, args.discriminator_weights)
    chains, steps = args.chains_per_class, args.steps
    yardstick = colour.yardstick_of(args)
    jobs = [
        partial(cifar10.sample, network, discriminator, yardstick, weight, chains, steps, args.seed)
        for network, weight in [(base, 0.0), *((averaged, weight) for weight in cifar10.WEIGHTS)]
    ]
    found = in_turn("Figure 8", steps * len(jobs), jobs)
    if found is None:
        return INTERRUPTED
    plain, *rows = found
    shown = {
        "base": plain,
        "averaged": rows[0],
        f"averaged, w = {SHOWN:g}": rows[cifar10.WEIGHTS.index(SHOWN)],
    }
    lines = [colour.first_of_each(base, row.pictures, chains) for row in shown.values()]
    write_figure(
        args.out,
        "fig8",
        sheet(lines, list(shown), base.labels),
        {
            "version": __version__,
            **cifar10.head(discriminator, yardstick, chains, steps, args.seed),
            "base": base.reference,
            "averaged": averaged.reference,
            "base_row": plain.json(),
            "averaged_rows": [row.json() for row in rows],
        },
    )
    print("\n".join(colour.table([(base.name, [plain]), (averaged.name, rows)], yardstick)))
    return 0
