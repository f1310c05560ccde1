"""``ldam-studio train statistics``: measures a network's moments of photographs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, STOPPED
from ldam_studio.commands.shared.statistics import measured
from ldam_studio.commands.train.flags import MOST_SEED
from ldam_studio.files import check_folder, write_bytes
from ldam_studio.networks.network import Network
from ldam_studio.networks.statistics.finding import SUFFIX, keep
from ldam_studio.networks.statistics.statistics import PhotoStatistics
from ldam_studio.training.artifact import Card
from ldam_studio.training.statistics import COUNT

LICENCE = "GPL-3.0-or-later, as the program; means and standard deviations only, no image"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, default="torchvision:squeezenet1_0")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder or zip of photographs such as those that the network was trained on",
    )
    parser.add_argument(
        "--count",
        type=flags.whole_number("--count", 16, 1_000_000),
        default=COUNT,
        metavar="N",
        help=f"number of photographs; default {COUNT}",
    )
    flags.add_seed(parser, 0, MOST_SEED)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the file and its card; default: the cache, where the studio and all "
        "commands find it for the same weights",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and write the statistics; return the exit code.

    Raises
    ------
    StudioError
        If the photographs are missing or damaged, the network cannot be compared, or a file cannot
        be written.
    """
    network = flags.network_of(args)
    if args.out is not None:
        check_folder(args.out)
    began = time.monotonic()
    try:
        statistics = measured(network, args.data, args.count, args.seed)
    except KeyboardInterrupt:
        print(STOPPED)
        return INTERRUPTED
    if args.out is None:
        print(keep(statistics))
        return 0
    name = network.name.rpartition(":")[2]
    file = f"{name}{SUFFIX}"
    write_bytes(args.out / file, statistics.content())
    _card(args, network, statistics, file, time.monotonic() - began).write(args.out)
    print(args.out / file)
    return 0


def _card(
    args: argparse.Namespace,
    network: Network,
    statistics: PhotoStatistics,
    file: str,
    seconds: float,
) -> Card:
    words = f"ldam-studio train statistics --network {network.name}"
    if args.weights is not None:
        words += f" --weights {args.weights.name}"
    words += f" --data {args.data.name} --seed {args.seed}"
    if args.count != COUNT:
        words += f" --count {args.count}"
    counts = ", ".join(
        f"{name} ({count})"
        for name, count in zip(statistics.layers, statistics.channels, strict=True)
    )
    return Card(
        file=file,
        what=f"Photo statistics of {network.name} (weights {network.sha256[:12]}...): for each "
        "channel, the mean and the standard deviation over photographs of its spatial mean and its "
        "spatial standard deviation. They contain no photograph.",
        data=statistics.source,
        recipe="each photograph in a random view: zoomed by up to 1.25, turned by up to 10 "
        f"degrees, half of them mirrored; sides of {', '.join(map(str, statistics.sides))} pixels",
        command=words,
        seed=args.seed,
        seconds=seconds,
        sha256=statistics.sha256,
        measured={"layers (channels)": counts},
        licence=LICENCE,
    )
