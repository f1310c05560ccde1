"""``ldam-studio paper fig4``: the paper's Figure 4, without and with L2, raw and averaged.

Exact mode, so that the chain has a law: at rest its mean satisfies ``2 l2 (mean - rest) =
E[gradient]``, the picture of a class neuron is the mean of its gradient along the chain, and the
figure comes with the cosine of the two (Jiang et al., arXiv 1812.04604, section 4).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from ldam_studio import __version__
from ldam_studio.analysis.sampling import OnStep, class_neurons
from ldam_studio.commands.paper.flags import add_common, check_common, write_figure
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import Bytes, sheet
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler import average
from ldam_studio.sampler.langevin import value_and_gradient
from ldam_studio.sampler.settings import Settings, parse

L2_WEIGHTS = (0.0, 0.5)
BURN_IN = 200
"""Steps before averaging, ten times the 1 / (step size * L2) in which an exact chain forgets."""


@dataclass(frozen=True)
class Panel:
    """Chains of all classes at one L2 weight; tensors have shape (chains, C, H, W).

    Attributes
    ----------
    raw, over_time, over_chains
        The last sample, the average over time, and that over time and the chains of the class.
    mean_gradient, gradient_at_average
        Of the activation in pixel units: its mean along the chain while averaging, and that at the
        average over time.
    """

    l2: float
    raw: torch.Tensor
    over_time: torch.Tensor
    over_chains: torch.Tensor
    mean_gradient: torch.Tensor
    gradient_at_average: torch.Tensor


def sample(
    network: Network,
    settings: Settings,
    l2: float,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> Panel:
    """Run chains on all class neurons at one L2 weight and average them after burn-in."""
    neurons = class_neurons(network, chains_per_class)
    state = open_session(
        SessionSpec(network, neurons, settings.change("l2", l2), seed, device=Device())
    )
    gradient = value_and_gradient(state.lane.activation)
    total = torch.zeros_like(state.lane.chains.x)
    for number in range(steps):
        if number >= BURN_IN:
            # Asked for once more instead of taken from the step: the check shall not lean on what
            # it checks.
            total += gradient(state.lane.chains.x)[1]
        state, _ = advance(state)
        on_step()
    lane = state.lane
    return Panel(
        l2=l2,
        raw=lane.chains.x,
        over_time=lane.average.mean,
        over_chains=average.pooled(lane.average, lane.targets.groups).mean,
        mean_gradient=total / (steps - BURN_IN),
        gradient_at_average=gradient(lane.average.mean)[1],
    )


def cosines(panel: Panel, rest: float, classes: int) -> dict[str, list[float]]:
    """Compare each class's averages with its gradients: least and mean cosine over its chains."""

    def by_class(gradient: torch.Tensor) -> torch.Tensor:
        cosine = functional.cosine_similarity(
            (panel.over_time - rest).flatten(1), gradient.flatten(1)
        )
        return cosine.reshape(classes, -1)

    along, at = by_class(panel.mean_gradient), by_class(panel.gradient_at_average)
    return {
        "mean_gradient_least": _rounded(along.min(1).values),
        "mean_gradient": _rounded(along.mean(1)),
        "gradient_at_average": _rounded(at.mean(1)),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_common(parser, chains_per_class=10, steps=1500)
    parser.add_argument("--temperature", default="0.01")


def run(args: argparse.Namespace) -> int:
    """Sample, compare, write ``fig4.png`` and ``fig4.json``; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, weights are missing or damaged, a file cannot be written.
    """
    check_common(args, least_steps=BURN_IN + 1)
    settings = Settings.of(
        mode="exact",
        step_size=0.1,
        temperature=parse("temperature", args.temperature),
        burn_in=BURN_IN,
        clamp=False,
    )
    network = open_network(args.network, args.weights)
    panels = []
    try:
        with progress() as bar:
            task = bar.add_task("Figure 4", total=args.steps * len(L2_WEIGHTS))
            for l2 in L2_WEIGHTS:
                panels.append(
                    sample(
                        network,
                        settings,
                        l2,
                        args.chains_per_class,
                        args.steps,
                        args.seed,
                        lambda: bar.advance(task),
                    )
                )
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return INTERRUPTED
    lines: list[list[Bytes]] = []
    labels = []
    for panel in panels:
        name = f"L2 {panel.l2:g}" if panel.l2 else "no L2"
        for what, images in (
            ("raw", panel.raw),
            ("over time", panel.over_time),
            ("time, chains", panel.over_chains),
        ):
            labels.append(f"{name}, {what}")
            lines.append(
                [
                    to_bytes(image.numpy(), network.pixels, "signed")
                    for image in images[:: args.chains_per_class]
                ]
            )
    found: dict[str, Any] = cosines(panels[-1], network.pixels.rest, len(network.labels))
    write_figure(
        args.out,
        "fig4",
        sheet(lines, labels, network.labels),
        {
            "version": __version__,
            "network": network.reference,
            "seed": args.seed,
            "steps": args.steps,
            "temperature": settings.temperature,
            "burn_in": BURN_IN,
            "chains_per_class": args.chains_per_class,
            "l2": panels[-1].l2,
            "cosine_of_average": found,
        },
    )
    print(
        "cosine of (average - rest) with the chain's mean gradient, and with that at the average:"
    )
    for label, mean, least, at in zip(
        network.labels,
        found["mean_gradient"],
        found["mean_gradient_least"],
        found["gradient_at_average"],
        strict=True,
    ):
        print(f"  {label}: {mean:.4f} (least of its chains {least:.4f}), {at:.4f}")
    return 0


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
