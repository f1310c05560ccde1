"""``ldam-studio paper fig6``: the VGG on CIFAR-10 without regulariser, with L2, and averaged.

The chains are unclamped and have no discriminator. The rows are the last samples of chains without
any regulariser, those of chains with L2, and the averages of the latter (Jiang et al., arXiv
1812.04604, section 6).
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from torch import Tensor

from ldam_studio.analysis import cifar10
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.twins import add_weights
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_chains,
    add_output,
    row_of_pictures,
)
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

FREE = Settings.of(mode="normalised", clamp=False, step_size=0.1, temperature=0.002, l2=0.0)
"""Settings without any regulariser: no smoothness, no jitter, no spectrum."""

L2 = 0.5
"""As in Figure 4. With a gradient whose root-mean-square is 1, it limits that of the picture to 1 /
(2 L2), and to much less if the gradient keeps changing its direction."""


def sample(
    network: Network,
    l2: float,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run chains of all classes; return last samples, averages and the chains' classes."""
    settings = cifar10.averaging(FREE.change("l2", l2), steps)
    neurons = class_neurons(network, chains_per_class)
    spec = SessionSpec(network, neurons, settings, seed, device=Device())
    lane = run_on(open_session(spec), steps, on_step).lane
    return lane.chains.x, lane.average.mean, lane.targets.units.indices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_weights(parser)
    add_output(parser)
    add_chains(parser, chains=10, steps=cifar10.STEPS)
    colour.add_cifar10(parser)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample chains without and with L2, and measure samples and averages."""
    network = open_network("vgg", args.weights)
    chains = args.chains_per_class
    yardstick = colour.yardstick_of(args)
    steps.start(2 * args.steps)
    (free, _, classes), (held, average, _) = (
        sample(network, l2, chains, args.steps, args.seed, steps) for l2 in (0.0, L2)
    )
    shown = {"no regulariser": free, f"L2 {L2:g}": held, f"L2 {L2:g}, averaged": average}
    rows = {name: _measured(network, yardstick, x, classes) for name, x in shown.items()}
    lines = [row_of_pictures(x[::chains], network.pixels, "signed") for x in shown.values()]
    return Page(
        sheet(lines, list(shown), network.labels),
        {
            "network": network.reference,
            "seed": args.seed,
            "steps": args.steps,
            "averaged_steps": min(args.steps, cifar10.WINDOW),
            "chains_per_class": chains,
            "l2": L2,
            "radius_cycles_per_pixel": RADIUS,
            "real": cifar10.real_json(yardstick),
            "rows": rows,
        },
        [
            "                    judge  distance  cosine  low frequencies  contrast",
            *(
                f"{name:18}  {row['agreement']:5.1%}  {row['distance']:8.2f}  {row['cosine']:6.3f}"
                f"  {row['low_frequencies']:15.3f}  {row['contrast']:8.3f}"
                for name, row in rows.items()
            ),
        ],
    )


def _measured(
    network: Network, yardstick: cifar10.Yardstick, images: Tensor, classes: Tensor
) -> dict[str, Any]:
    """Return numbers in JSON's types; images are clamped to the valid range for the judge."""
    rest = network.pixels.rest
    seen = cifar10.see(yardstick, images.clamp(*network.pixels.bounds), classes)
    return cifar10.rounded(
        asdict(seen)
        | {
            "low_frequencies": float(low_share(images, rest).mean()),
            "contrast": float((images - rest).square().mean().sqrt()),
        }
    )


run = Figure("fig6", "Figure 6", make).run
