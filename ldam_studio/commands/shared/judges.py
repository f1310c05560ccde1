"""Judges of a command: the project's own, trained first where necessary, and any network."""

from __future__ import annotations

import argparse
from itertools import zip_longest
from pathlib import Path

from ldam_studio.analysis import judging
from ldam_studio.commands.shared.progress import TrainingBar, download
from ldam_studio.errors import StudioError
from ldam_studio.networks.models.judges import Judge
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

JUDGE = "torchvision:resnet50"


def open_judge(
    data: Path | None = None, fetch: bool = False, kind: judging.JudgeKind = judging.DIGITS
) -> Judge:
    """Return a judge as `judging.open_judge` does, and show a progress bar if it is trained."""
    with TrainingBar("judge") as bar:
        return judging.open_judge(data, fetch, kind, bar)


def add_judges(parser: argparse.ArgumentParser) -> None:
    """Add ``--judge`` and ``--judge-weights``, each of which may be given several times."""
    group = parser.add_argument_group("judges")
    group.add_argument(
        "--judge",
        action="append",
        metavar="NAME",
        help="another architecture with the same classes, named as --network is; may be given "
        f"several times. Default {JUDGE}",
    )
    group.add_argument(
        "--judge-weights",
        action="append",
        type=Path,
        metavar="FILE",
        help="its weights; if given several times, the first file is the first judge's, and so on",
    )


def judges_of(args: argparse.Namespace, network: Network) -> list[Network]:
    """Open the judges that the flags name.

    Raises
    ------
    StudioError
        A judge cannot be opened, does not know the network's classes or takes other channels, or
        there are more files of weights than judges.
    """
    names, weights = args.judge or [JUDGE], args.judge_weights or []
    if len(weights) > len(names):
        word = "judge" if len(names) == 1 else "judges"
        raise StudioError(
            f"There are {len(weights)} --judge-weights for {len(names)} {word}; give --judge as "
            "often, in the same order."
        )
    judges = [_open(name, file) for name, file in zip_longest(names, weights)]
    for judge in judges:
        _check(network, judge)
    return judges


def _open(name: str, weights: Path | None) -> Network:
    with download(name) as on_bytes:
        return open_network(name, weights, Options(on_bytes=on_bytes))


def _check(network: Network, judge: Network) -> None:
    ours, theirs = network.class_layer.neurons, judge.class_layer.neurons
    differ = ours != theirs or (network.labels and judge.labels and network.labels != judge.labels)
    if differ or network.pixels.channels != judge.pixels.channels:
        raise StudioError(
            f"The judge {judge.name} has {theirs} classes, {network.name} {ours}; a judge must "
            "know the same classes in the same order and take the same channels."
        )
