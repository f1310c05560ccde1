"""``ldam-studio paper fig6``: the VGG on CIFAR-10 without regulariser, with L2, and L2 averaged.

Free chains, unclamped and without a discriminator: the last samples of chains that nothing holds,
of chains that L2 holds, and the averages of these (Jiang et al., arXiv 1812.04604, section 6).
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from typing import Any

from torch import Tensor

from ldam_studio import __version__
from ldam_studio.analysis import cifar10
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.commands.paper import colour
from ldam_studio.commands.paper.flags import add_twins, write_figure
from ldam_studio.commands.shared.progress import INTERRUPTED, in_turn
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import sheet
from ldam_studio.files import check_folder
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

FREE = Settings.of(mode="normalised", clamp=False, step_size=0.1, temperature=0.002, l2=0.0)
"""Nothing but the neuron: no smoothness, no jitter, no spectrum."""

L2 = 0.5
"""As in Figure 4. Against a gradient whose root-mean-square is 1 it holds that of the picture at
1 / (2 L2) at most, and well below where the gradient's direction does not last."""


def sample(
    network: Network,
    l2: float,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run free chains of all classes; return last samples, averages and the chains' classes."""
    settings = cifar10.averaging(FREE.change("l2", l2), steps)
    neurons = class_neurons(network, chains_per_class)
    spec = SessionSpec(network, neurons, settings, seed, device=Device())
    lane = run_on(open_session(spec), steps, on_step).lane
    return lane.chains.x, lane.average.mean, lane.targets.units.indices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_twins(parser, chains_per_class=10, steps=cifar10.STEPS, averaged=False)
    colour.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, measure, write ``fig6.png`` and ``fig6.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights or data are missing or damaged, a file cannot be written.
    """
    check_folder(args.out)
    network = open_network("vgg", args.weights)
    chains, steps = args.chains_per_class, args.steps
    yardstick = colour.yardstick_of(args)
    jobs = [partial(sample, network, l2, chains, steps, args.seed) for l2 in (0.0, L2)]
    found = in_turn("Figure 6", steps * len(jobs), jobs)
    if found is None:
        return INTERRUPTED
    (free, _, classes), (held, average, _) = found
    shown = {"no regulariser": free, f"L2 {L2:g}": held, f"L2 {L2:g}, averaged": average}
    rows = {name: _measured(network, yardstick, images, classes) for name, images in shown.items()}
    lines = [
        [to_bytes(image.numpy(), network.pixels, "signed") for image in images[::chains]]
        for images in shown.values()
    ]
    write_figure(
        args.out,
        "fig6",
        sheet(lines, list(shown), network.labels),
        {
            "version": __version__,
            "network": network.reference,
            "seed": args.seed,
            "steps": steps,
            "averaged_steps": min(steps, cifar10.WINDOW),
            "chains_per_class": chains,
            "l2": L2,
            "radius_cycles_per_pixel": RADIUS,
            "real": cifar10.real_json(yardstick),
            "rows": rows,
        },
    )
    print("                    judge  distance  cosine  low frequencies  contrast")
    for name, row in rows.items():
        print(
            f"{name:18}  {row['agreement']:5.1%}  {row['distance']:8.2f}  {row['cosine']:6.3f}  "
            f"{row['low_frequencies']:15.3f}  {row['contrast']:8.3f}"
        )
    return 0


def _measured(
    network: Network, yardstick: cifar10.Yardstick, images: Tensor, classes: Tensor
) -> dict[str, Any]:
    """Return numbers in JSON's types; the judge sees the images within the range of real ones."""
    rest = network.pixels.rest
    seen = cifar10.see(yardstick, images.clamp(*network.pixels.bounds), classes)
    return cifar10.rounded(
        asdict(seen)
        | {
            "low_frequencies": float(low_share(images, rest).mean()),
            "contrast": float((images - rest).square().mean().sqrt()),
        }
    )
