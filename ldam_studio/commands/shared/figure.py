"""The common part of all paper figures: flags, progress, Ctrl-C, writing files, printing a table.

A figure's module declares its own flags in ``add_arguments``, computes its `Page` in a function
``make(args, steps)``, and defines ``run = Figure(name, title, make).run``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ldam_studio import __version__
from ldam_studio.commands.shared.flags import add_out, add_seed, whole_number
from ldam_studio.commands.shared.progress import INTERRUPTED, STOPPED, Steps
from ldam_studio.engine.picture import Bytes, to_bytes
from ldam_studio.files import check_folder, write_together
from ldam_studio.networks.pixels import PixelSpec

MOST = 1_000_000
"""Upper limit of flags that count steps or chains."""


@dataclass(frozen=True)
class Page:
    """A finished figure.

    Attributes
    ----------
    picture
        The bytes of a PNG file.
    numbers
        The content of the JSON file, after the program's version.
    table
        The lines to print.
    """

    picture: bytes
    numbers: Mapping[str, Any]
    table: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of the paper as a command.

    Attributes
    ----------
    name
        The name of its files, without a suffix.
    title
        The text beside the progress bar.
    make
        Computes the page from the flags. It starts the progress bar with the number of sampler
        steps, and calls it after each of them.
    """

    name: str
    title: str
    make: Callable[[argparse.Namespace, Steps], Page]

    def run(self, args: argparse.Namespace) -> int:
        """Compute the figure, write its picture and numbers, print its table; return the exit code.

        Raises
        ------
        StudioError
            If a flag is out of range, weights or data are missing or damaged, or a file cannot be
            written.
        """
        check_folder(args.out)
        try:
            with Steps(self.title) as steps:
                page = self.make(args, steps)
        except KeyboardInterrupt:
            print(STOPPED)
            return INTERRUPTED
        paths = write_page(args.out, self.name, page)
        print(*page.table, *paths, sep="\n")
        return 0


def write_page(folder: Path, name: str, page: Page) -> list[Path]:
    """Write ``name.png`` and ``name.json`` together; return their paths.

    Raises
    ------
    StudioError
        If the folder cannot be written to.
    """
    picture, numbers = folder / f"{name}.png", folder / f"{name}.json"
    content = {"version": __version__, **page.numbers}
    write_together({picture: page.picture, numbers: to_json(content)})
    return [picture, numbers]


def to_json(content: Mapping[str, Any]) -> bytes:
    """Return indented JSON with a line break at its end."""
    return (json.dumps(content, indent=2) + "\n").encode()


def rounded(values: Tensor) -> list[float]:
    """Return a vector's values in JSON's types, with four decimals."""
    return [round(value, 4) for value in values.tolist()]


def row_of_pictures(images: Tensor, pixels: PixelSpec, display: str) -> list[Bytes]:
    """Return images (n, C, H, W) as pictures of 8 bits; see `engine.picture.to_bytes`."""
    return [to_bytes(image.cpu().numpy(), pixels, display) for image in images]


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add ``--out`` and ``--seed``."""
    add_out(parser, "out/paper")
    add_seed(parser)


def add_count(
    parser: argparse.ArgumentParser, flag: str, least: int, default: int, text: str = ""
) -> None:
    """Add a flag that takes a whole number; its help includes the default."""
    parser.add_argument(
        flag,
        type=whole_number(flag, least, MOST),
        default=default,
        metavar="N",
        help=f"{text}; default {default}" if text else f"default {default}",
    )


def add_chains(
    parser: argparse.ArgumentParser,
    *,
    chains: int,
    steps: int,
    least_chains: int = 2,
    least_steps: int = 1,
) -> None:
    """Add ``--chains-per-class`` and ``--steps`` with their defaults."""
    add_count(parser, "--chains-per-class", least_chains, chains)
    add_count(parser, "--steps", least_steps, steps)
