"""``ldam-studio paper fig5``: LeNet after its last epoch, and with averaged parameters.

Both have the same starts and noise, with L2 and without a discriminator, so that only the networks
differ. The paper sees clearer digits in the averaged one (Jiang et al., arXiv 1812.04604, section
4); the numbers beside the picture test this, with intervals over the classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.analysis.digits import within_class_cosine
from ldam_studio.analysis.intervals import Interval, bootstrap, mean
from ldam_studio.analysis.judging import verdicts
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.commands.paper.twins import add_twins, open_twins
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_chains,
    add_output,
    rounded,
    row_of_pictures,
)
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.models.judges import Judge
from ldam_studio.networks.network import Network
from ldam_studio.sampler import average
from ldam_studio.sampler.settings import Settings

SETTINGS = Settings.of(
    mode="normalised", step_size=0.1, temperature=0.1, l2=0.5, clamp=False, threshold=0.0
)

NAMES = ("last epoch", "averaged")


@dataclass(frozen=True)
class Side:
    """One network's chains, ordered by class.

    Attributes
    ----------
    raw, over_time, over_chains
        The last sample, the average over the second half of the steps, and the average also over
        the chains of the class; each (chains, C, H, W).
    classes
        Class of each chain, (chains,).
    """

    raw: Tensor
    over_time: Tensor
    over_chains: Tensor
    classes: Tensor


def sample(
    network: Network, chains_per_class: int, steps: int, seed: int, on_step: OnStep = lambda: None
) -> Side:
    """Run chains on all class neurons and average them over the second half of the steps."""
    spec = SessionSpec(
        network,
        class_neurons(network, chains_per_class),
        SETTINGS.change("burn_in", steps // 2).change("window", 0),
        seed,
        device=Device(),
    )
    lane = run_on(open_session(spec), steps, on_step).lane
    pooled = average.pooled(lane.average, lane.targets.groups).mean
    return Side(lane.chains.x, lane.average.mean, pooled, lane.targets.units.indices)


def measured(side: Side, judge: Judge, rest: float) -> dict[str, Tensor]:
    """Return measures of the averages over time by name, each with one value per class, (classes,).

    They are the share in which the judge sees the digit, the similarity of the chains, and the
    share of their power in low frequencies.
    """
    images, classes = side.over_time, side.classes
    agrees = (verdicts(judge, images.clamp(0, 1)) == classes).double()
    low = low_share(images, rest)

    def by_class(of: Callable[[Tensor], float]) -> Tensor:
        return torch.tensor([of(classes == c) for c in classes.unique()], dtype=torch.float64)

    return {
        "judge agrees": by_class(lambda which: float(agrees[which].mean())),
        "cosine within a class": by_class(
            lambda which: within_class_cosine(images[which] - rest, classes[which])
        ),
        "low frequencies": by_class(lambda which: float(low[which].mean())),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_twins(parser)
    add_output(parser)
    add_chains(parser, chains=10, steps=400)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample chains on both networks, and compare their averages class by class."""
    networks = open_twins(args, "lenet")
    judge = open_judge()
    chains = args.chains_per_class
    steps.start(args.steps * len(networks))
    sides = [sample(network, chains, args.steps, args.seed, steps) for network in networks]
    first, second = (measured(side, judge, networks[0].pixels.rest) for side in sides)
    table = {
        name: {
            NAMES[0]: bootstrap(first[name], mean),
            NAMES[1]: bootstrap(second[name], mean),
            "difference": bootstrap(second[name] - first[name], mean),
        }
        for name in first
    }
    return Page(
        _picture(networks[0], sides, chains),
        {
            "networks": [network.reference for network in networks],
            "seed": args.seed,
            "steps": args.steps,
            "chains_per_class": chains,
            "settings": {name: getattr(SETTINGS, name) for name in ("temperature", "l2")},
            "radius_cycles_per_pixel": RADIUS,
            "measured": {
                name: {column: interval.json() for column, interval in row.items()}
                for name, row in table.items()
            },
            "by_class": [
                {name: rounded(values) for name, values in each.items()} for each in (first, second)
            ],
        },
        _lines(table),
    )


def _picture(network: Network, sides: Sequence[Side], chains: int) -> bytes:
    lines: list[list[Bytes]] = []
    labels = []
    for name, side in zip(NAMES, sides, strict=True):
        for what, images in (
            ("sample", side.raw),
            ("over time", side.over_time),
            ("time, chains", side.over_chains),
        ):
            labels.append(f"{name}, {what}")
            lines.append(row_of_pictures(images[::chains], network.pixels, "signed"))
    return sheet(lines, labels, network.labels)


def _lines(table: dict[str, dict[str, Interval]]) -> list[str]:
    lines = ["averages over time, mean of ten classes (95 % bootstrap interval):"]
    for name, row in table.items():
        lines.append(name)
        lines += [f"  {column:10} {interval}" for column, interval in row.items()]
    return lines


run = Figure("fig5", "Figure 5", make).run
