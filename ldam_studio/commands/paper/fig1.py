"""``ldam-studio paper fig1``: the paper's Figure 1, five discriminator weights by ten classes.

Fresh chains under a frozen discriminator. Beside the picture, in numbers: does an independent
judge see the class that was asked for, are the images of a class as varied as real ones, and do
melted pictures collapse into others (Jiang et al., arXiv 1812.04604, sections 3 and 4)?
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ldam_studio import __version__
from ldam_studio.analysis import digits
from ldam_studio.commands.paper.flags import add_common, check_common, write_figure
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.export.sheet import Bytes, sheet
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.sources.opening import open_network

WEIGHTS = (0.0, 0.2, 0.5, 0.8, 1.0)
MELTED = 0.8
"""The weight whose chains are melted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_common(parser, chains_per_class=20, steps=600)
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )
    parser.add_argument("--data", type=Path, help="MNIST, if the judge has to be trained first")
    parser.add_argument("--download", action="store_true", help="fetch MNIST where it is missing")


def run(args: argparse.Namespace) -> int:
    """Sample, measure, write ``fig1.png`` and ``fig1.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights or data are missing or damaged, a file cannot be written.
    """
    check_common(args)
    network = open_network(args.network, args.weights)
    discriminator = open_discriminator(weights=args.discriminator_weights)
    judge = open_judge(args.data, args.download)
    rows, pictures = [], []
    melted: dict[str, Any] = {}
    total = args.steps * len(WEIGHTS) + digits.MELT_STEPS + digits.COLLAPSE_STEPS
    try:
        with progress() as bar:
            task = bar.add_task("Figure 1", total=total)
            for row, state in digits.rows(
                network,
                discriminator,
                judge,
                WEIGHTS,
                args.chains_per_class,
                args.steps,
                args.seed,
                lambda: bar.advance(task),
            ):
                rows.append(row)
                pictures.append(_first_of_each_class(state))
                if row.weight == MELTED:
                    bar.update(task, description="melting")
                    melted = digits.melt_and_collapse(
                        state, discriminator, judge, row.weight, lambda: bar.advance(task)
                    )
                    bar.update(task, description="Figure 1")
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return INTERRUPTED
    real = digits.real_digits()
    png = sheet(pictures, [f"w = {row.weight:g}" for row in rows], network.labels)
    write_figure(
        args.out,
        "fig1",
        png,
        {
            "version": __version__,
            "network": network.reference,
            "discriminator": discriminator.reference,
            "seed": args.seed,
            "steps": args.steps,
            "chains_per_class": args.chains_per_class,
            "real_digits": real,
            "rows": [row.json() for row in rows],
            "melt_and_collapse": melted,
        },
    )
    _print_table(rows, melted, real)
    return 0


def _first_of_each_class(state: SessionState) -> list[Bytes]:
    lane = state.lane
    each = len(lane.chains.x) // lane.network.layers[-1].neurons
    return [
        to_bytes(image.numpy(), lane.network.pixels, "image") for image in lane.chains.x[::each]
    ]


def _print_table(rows: list[digits.Row], melted: dict[str, Any], real: dict[str, float]) -> None:
    print("weight  activation  P(real)  judge agrees  cosine within class  dark")
    for row in rows:
        print(
            f"{row.weight:6.1f}  {row.activation:10.1f}  {row.real_probability:7.2f}"
            f"  {row.agreement:12.1%}  {row.cosine:19.3f}  {row.dark:.3f}"
        )
    print(f"{'real':>6}  {'':10}  {'':7}  {'':12}  {real['cosine']:19.3f}  {real['dark']:.3f}")
    print(
        f"melted and collapsed at {MELTED:g}: cosine to the image before "
        f"{melted['cosine_to_before']:.3f}, judge agrees {melted['agreement']:.1%}"
    )
