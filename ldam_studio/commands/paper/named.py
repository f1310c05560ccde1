"""``ldam-studio paper named``: how often another network names the class that was asked for.

Fresh chains are run on classes spread over all of a network's. Another architecture, the judge,
then says what it sees in the last sample and in the average. Each row is a preset at a
discriminator weight: the share of images whose class is the judge's first guess, and the share
where it is one of the first five.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.discriminators import discriminator_of
from ldam_studio.commands.shared.figure import Figure, Page, add_count, add_output, row_of_pictures
from ldam_studio.commands.shared.neurons import spread_classes
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import PRESETS, find_preset
from ldam_studio.sampler.settings import Settings

STRENGTHS = "0,0.25,0.5,0.75"
FIVE, JUDGED_AT_ONCE = 5, 10


@dataclass(frozen=True)
class Named:
    """How a judge names some images.

    Attributes
    ----------
    first, first_five
        Share of images whose class is its first guess, and one of its first five.
    confidence
        Mean probability that it gives to the class that was asked for.
    ranks
        Rank of each image's class among its guesses, 0 for the first.
    """

    first: float
    first_five: float
    confidence: float
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """Chains of one preset at one discriminator weight; images ``(classes, C, H, W)``."""

    preset: str
    weight: float
    raw: Named
    averaged: Named
    images: tuple[torch.Tensor, torch.Tensor]

    def json(self) -> dict[str, Any]:
        """Return the row in JSON's types, without its images."""
        named = {"raw": asdict(self.raw), "averaged": asdict(self.averaged)}
        return {"preset": self.preset, "discriminator_weight": self.weight, **named}

    def text(self) -> str:
        """Return the row as it is printed."""
        shares = (
            f"{named.first:11.0%} {named.first_five:7.0%}" for named in (self.raw, self.averaged)
        )
        return f"{self.preset:8} {self.weight:6.2f} {' '.join(shares)}"


HEAD = "preset   weight   raw top 1   top 5  averaged 1   top 5"


@torch.no_grad()
def ask(judge: Network, images: torch.Tensor, classes: torch.Tensor) -> Named:
    """Let the judge name ``images`` ``(n, C, H, W)`` of ``classes`` ``(n,)``; pixel units.

    Images of another size than the judge's are resized to it.
    """
    pixels = judge.pixels
    if images.shape[2:] != (pixels.height, pixels.width):
        images = functional.interpolate(
            images, (pixels.height, pixels.width), mode="bilinear", antialias=True
        )
    last = judge.layers[-1].name
    chances = torch.cat(
        [judge.output(part, last).flatten(1).softmax(1) for part in images.split(JUDGED_AT_ONCE)]
    )
    asked = chances.gather(1, classes[:, None])
    ranks = (chances > asked).sum(1)
    return Named(
        first=float((ranks < 1).double().mean()),
        first_five=float((ranks < FIVE).double().mean()),
        confidence=round(float(asked.mean()), 4),
        ranks=tuple(ranks.tolist()),
    )


def measure(
    network: Network,
    judge: Network,
    discriminator: DiscriminatorModel | None,
    neurons: Sequence[Neuron],
    preset: str,
    weight: float,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> Row:
    """Run a fresh chain for each neuron, and let the judge name its last sample and its average."""
    values = find_preset(preset).values(network.pixels.shape, discriminator=True)
    # Every row averages the last half of its run.
    own = {"discriminator_weight": weight, "burn_in": steps // 2, "threshold": 0.0}
    settings = Settings.of(**{**values, **own})
    used = discriminator if weight else None
    spec = SessionSpec(network, tuple(neurons), settings, seed, used, Device())
    lane = run_on(open_session(spec), steps, on_step).lane
    bounds = network.pixels.bounds
    raw, averaged = lane.chains.x.clamp(*bounds), lane.average.mean.clamp(*bounds)
    classes = torch.tensor([neuron.index for neuron in neurons])
    verdicts = ask(judge, raw, classes), ask(judge, averaged, classes)
    return Row(preset, weight, *verdicts, images=(raw, averaged))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, default="torchvision:squeezenet1_0")
    add_output(parser)
    judge = parser.add_argument_group("judge")
    judge.add_argument(
        "--judge",
        default="torchvision:resnet50",
        metavar="NAME",
        help="another architecture with the same classes, named as --network is",
    )
    judge.add_argument("--judge-weights", type=Path, metavar="FILE")
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )
    add_count(parser, "--classes", 1, 20, "how many, spread evenly over all of them")
    add_count(parser, "--steps", 2, 200)
    parser.add_argument("--presets", default="paper,clean", help=f"some of {','.join(PRESETS)}")
    parser.add_argument(
        "--strengths", default=STRENGTHS, help="discriminator weights, with commas between them"
    )


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample and judge each preset at each discriminator weight, and print the rows meanwhile."""
    strengths = _strengths(args.strengths)
    presets = [find_preset(name).name for name in args.presets.split(",")]
    network = flags.network_of(args)
    judge = open_network(args.judge, args.judge_weights)
    _check_judge(network, judge)
    discriminator = None
    if any(strengths):
        discriminator = discriminator_of(network, args.discriminator_weights, "use --strengths 0")
    neurons = spread_classes(network, args.classes)
    steps.start(args.steps * len(presets) * len(strengths))
    steps.say(HEAD)
    rows: list[Row] = []
    for preset in presets:
        for weight in strengths:
            row = measure(
                network,
                judge,
                discriminator,
                neurons,
                preset,
                weight,
                args.steps,
                args.seed,
                steps,
            )
            rows.append(row)
            steps.say(row.text())
    return Page(
        _picture(network, neurons, rows),
        {
            "network": network.reference,
            "judge": judge.reference,
            "discriminator": None if discriminator is None else discriminator.reference,
            "seed": args.seed,
            "steps": args.steps,
            "classes": [neuron.index for neuron in neurons],
            "labels": [network.label(neuron) for neuron in neurons],
            "presets": {name: dict(find_preset(name).settings) for name in presets},
            "rows": [row.json() for row in rows],
        },
    )


def _strengths(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 <= weight <= 1 for weight in found):
        raise StudioError(
            f"--strengths are numbers from 0 to 1 with commas between them, not {text!r}."
        )
    return found


def _check_judge(network: Network, judge: Network) -> None:
    ours, theirs = network.layers[-1].neurons, judge.layers[-1].neurons
    differ = ours != theirs or (network.labels and judge.labels and network.labels != judge.labels)
    if differ or network.pixels.channels != judge.pixels.channels:
        raise StudioError(
            f"The judge {judge.name} has {theirs} classes, {network.name} {ours}; a judge must "
            "know the same classes in the same order and take the same channels."
        )


def _picture(network: Network, neurons: Sequence[Neuron], rows: Sequence[Row]) -> bytes:
    lines: list[list[Bytes]] = []
    labels = []
    for row in rows:
        for what, images in zip(("raw", "averaged"), row.images, strict=True):
            lines.append(row_of_pictures(images, network.pixels, "image"))
            labels.append(f"{row.preset}, w = {row.weight:g}, {what}")
    return sheet(lines, labels, [network.label(neuron) for neuron in neurons], zoom=1)


run = Figure("named", "named", make).run
