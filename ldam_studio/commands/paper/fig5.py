"""``ldam-studio paper fig5``: LeNet as its training ended against its averaged parameters.

The same starts and noise in both, with L2 and without a discriminator, so that nothing but the
networks speaks. The paper sees clearer digits in the averaged one (Jiang et al., arXiv 1812.04604,
section 4); beside the picture there are the numbers for it, with intervals over the classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ldam_studio import __version__
from ldam_studio.analysis.digits import within_class_cosine
from ldam_studio.analysis.intervals import bootstrap, mean
from ldam_studio.analysis.judging import verdicts
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.commands.paper.flags import add_twins, open_twins, write_figure
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import INTERRUPTED, in_turn
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import Bytes, sheet
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
    """One network's chains, those of a class in a row.

    Attributes
    ----------
    raw, over_time, over_chains
        The last sample, the average over the second half of the steps, and that over the chains of
        the class too; each (chains, C, H, W).
    classes
        Of each chain, (chains,).
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
    """Return numbers of each class, (classes,): of the averages over time.

    Whether the judge sees the digit, how alike the chains are, and how much of them is coarse.
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
    add_twins(parser, chains_per_class=10, steps=400)


def run(args: argparse.Namespace) -> int:
    """Sample, measure, write ``fig5.png`` and ``fig5.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights are missing or damaged, a file cannot be written.
    """
    networks = open_twins(args, "lenet")
    judge = open_judge()
    chains, steps = args.chains_per_class, args.steps
    jobs = [partial(sample, network, chains, steps, args.seed) for network in networks]
    sides = in_turn("Figure 5", steps * len(jobs), jobs)
    if sides is None:
        return INTERRUPTED
    first, second = (measured(side, judge, networks[0].pixels.rest) for side in sides)
    table = {
        name: {
            NAMES[0]: bootstrap(first[name], mean),
            NAMES[1]: bootstrap(second[name], mean),
            "difference": bootstrap(second[name] - first[name], mean),
        }
        for name in first
    }
    write_figure(
        args.out,
        "fig5",
        _page(networks[0], sides, chains),
        {
            "version": __version__,
            "networks": [network.reference for network in networks],
            "seed": args.seed,
            "steps": steps,
            "chains_per_class": chains,
            "settings": {name: getattr(SETTINGS, name) for name in ("temperature", "l2")},
            "radius_cycles_per_pixel": RADIUS,
            "measured": {
                name: {column: interval.json() for column, interval in row.items()}
                for name, row in table.items()
            },
            "by_class": [
                {name: [round(v, 4) for v in values.tolist()] for name, values in each.items()}
                for each in (first, second)
            ],
        },
    )
    print("averages over time, mean of ten classes (95 % bootstrap interval):")
    for name, row in table.items():
        print(name)
        for column, interval in row.items():
            print(f"  {column:10} {interval}")
    return 0


def _page(network: Network, sides: list[Side], chains: int) -> bytes:
    lines: list[list[Bytes]] = []
    labels = []
    for name, side in zip(NAMES, sides, strict=True):
        for what, images in (
            ("sample", side.raw),
            ("over time", side.over_time),
            ("time, chains", side.over_chains),
        ):
            labels.append(f"{name}, {what}")
            lines.append(
                [to_bytes(image.numpy(), network.pixels, "signed") for image in images[::chains]]
            )
    return sheet(lines, labels, network.labels)
