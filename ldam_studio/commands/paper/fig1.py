"""``ldam-studio paper fig1``: the paper's Figure 1, five discriminator weights by ten classes.

New chains run with a frozen discriminator. The numbers beside the picture say whether an
independent judge sees the intended class, whether the images of a class are as varied as real ones,
and whether melted pictures collapse into others (Jiang et al., arXiv 1812.04604, sections 3 and 4).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ldam_studio.analysis import digits
from ldam_studio.commands.paper.twins import add_digit_network
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_chains,
    add_output,
    row_of_pictures,
)
from ldam_studio.commands.shared.flags import add_data
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.picture import Bytes
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.sources.opening import open_network

WEIGHTS = (0.0, 0.2, 0.5, 0.8, 1.0)
MELTED = 0.8
"""The discriminator weight at which chains are melted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_digit_network(parser)
    add_output(parser)
    add_chains(parser, chains=20, steps=600, least_chains=1)
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )
    add_data(parser, "folder of MNIST, if the judge has to be trained first", "MNIST")


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample and measure chains at each weight; melt those at `MELTED`."""
    network = open_network(args.network, args.weights)
    discriminator = open_discriminator(weights=args.discriminator_weights)
    judge = open_judge(args.data, args.download)
    rows: list[digits.Row] = []
    pictures: list[list[Bytes]] = []
    melted: dict[str, Any] = {}
    steps.start(args.steps * len(WEIGHTS) + digits.MELT_STEPS + digits.COLLAPSE_STEPS)
    for row, state in digits.rows(
        network,
        discriminator,
        judge,
        WEIGHTS,
        args.chains_per_class,
        args.steps,
        args.seed,
        steps,
    ):
        rows.append(row)
        images = state.lane.chains.x[:: args.chains_per_class]
        pictures.append(row_of_pictures(images, network.pixels, "image"))
        if row.weight == MELTED:
            melted = digits.melt_and_collapse(state, discriminator, judge, row.weight, steps)
    real = digits.real_digits()
    return Page(
        sheet(pictures, [f"w = {row.weight:g}" for row in rows], network.labels),
        {
            "network": network.reference,
            "discriminator": discriminator.reference,
            "seed": args.seed,
            "steps": args.steps,
            "chains_per_class": args.chains_per_class,
            "real_digits": real,
            "rows": [row.json() for row in rows],
            "melt_and_collapse": melted,
        },
        _table(rows, melted, real),
    )


def _table(rows: Sequence[digits.Row], melted: dict[str, Any], real: dict[str, float]) -> list[str]:
    lines = ["weight  activation  P(real)  judge agrees  cosine within class  dark"]
    for row in rows:
        lines.append(
            f"{row.weight:6.1f}  {row.activation:10.1f}  {row.real_probability:7.2f}"
            f"  {row.agreement:12.1%}  {row.cosine:19.3f}  {row.dark:.3f}"
        )
    return [
        *lines,
        f"{'real':>6}  {'':10}  {'':7}  {'':12}  {real['cosine']:19.3f}  {real['dark']:.3f}",
        f"melted and collapsed at {MELTED:g}: cosine to the image before "
        f"{melted['cosine_to_before']:.3f}, judge agrees {melted['agreement']:.1%}",
    ]


run = Figure("fig1", "Figure 1", make).run
