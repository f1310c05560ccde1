"""Shared parts of the CIFAR-10 figures: flags, the statistics of real images, the table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.analysis import cifar10
from ldam_studio.analysis.judging import COLOUR
from ldam_studio.commands.shared.flags import add_data
from ldam_studio.commands.shared.judges import open_judge


def add_discriminator(parser: argparse.ArgumentParser) -> None:
    """Add ``--discriminator-weights``."""
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )


def add_cifar10(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` and ``--download`` for CIFAR-10."""
    add_data(parser, "folder of CIFAR-10")


def yardstick_of(args: argparse.Namespace) -> cifar10.Yardstick:
    """Open the judge and compute its statistics of CIFAR-10's test images.

    Raises
    ------
    StudioError
        If CIFAR-10 is missing or damaged.
    """
    judge = open_judge(args.data, args.download, COLOUR)
    return cifar10.open_yardstick(judge, args.data, args.download, args.chains_per_class)


def table(
    groups: Sequence[tuple[str, Sequence[cifar10.Row]]], yardstick: cifar10.Yardstick
) -> list[str]:
    """Return the lines of a table: each group's title and rows, then measures of real images."""
    lines = [
        "                     raw samples                   averages",
        "weight  activation   judge  distance  cosine       judge  distance  cosine",
    ]
    for title, rows in groups:
        lines.append(title)
        for row in rows:
            parts = "      ".join(
                f"{s.agreement:6.1%}  {s.distance:8.2f}  {s.cosine:6.3f}"
                for s in (row.raw, row.averaged)
            )
            lines.append(f"{row.weight:6.2f}  {row.activation:10.1f}  {parts}")
    real = cifar10.real_json(yardstick)
    measures = f"{real['agreement']:.1%}  {real['distance']:.2f}  {real['cosine']:.3f}"
    return [*lines, f"real images: {measures}"]
