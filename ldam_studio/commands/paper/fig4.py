"""``ldam-studio paper fig4``: the paper's Figure 4, without and with L2, raw and averaged.

In exact mode the mean of the stationary distribution satisfies ``2 l2 (mean - rest) =
E[gradient]``, so the picture of a class neuron is the mean of its gradient along the chain. The
numbers are the cosines between the two (Jiang et al., arXiv 1812.04604, section 4).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import torch
from torch.nn import functional

from ldam_studio.analysis.sampling import OnStep, class_neurons
from ldam_studio.commands.paper.twins import add_digit_network
from ldam_studio.commands.shared.figure import (
    Figure,
    Page,
    add_chains,
    add_output,
    rounded,
    row_of_pictures,
)
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler import average
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.settings import Settings, parse

L2_WEIGHTS = (0.0, 0.5)
BURN_IN = 200
"""Number of steps before averaging: ten times 1 / (step size * L2), in which an exact chain forgets
its start."""


@dataclass(frozen=True)
class Panel:
    """Chains of all classes at one L2 weight; tensors have shape (chains, C, H, W).

    Attributes
    ----------
    raw, over_time, over_chains
        The last sample, the average over time, and the average over time and the chains of the
        class.
    mean_gradient, gradient_at_average
        Gradient of the activation in pixel units: its mean along the chain while averaging, and its
        value at the average over time.
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
            # Computed independently of the step, since it serves to check the step.
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
    """Compare each class's averages with its gradients: smallest and mean cosine of its chains."""

    def by_class(gradient: torch.Tensor) -> torch.Tensor:
        cosine = functional.cosine_similarity(
            (panel.over_time - rest).flatten(1), gradient.flatten(1)
        )
        return cosine.reshape(classes, -1)

    along, at = by_class(panel.mean_gradient), by_class(panel.gradient_at_average)
    return {
        "mean_gradient_least": rounded(along.min(1).values),
        "mean_gradient": rounded(along.mean(1)),
        "gradient_at_average": rounded(at.mean(1)),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_digit_network(parser)
    add_output(parser)
    add_chains(parser, chains=10, steps=1500, least_chains=1, least_steps=BURN_IN + 1)
    parser.add_argument("--temperature", default="0.01")


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample chains at each L2 weight, and compare the averages with the gradients."""
    settings = Settings.of(
        mode="exact",
        step_size=0.1,
        temperature=parse("temperature", args.temperature),
        burn_in=BURN_IN,
        clamp=False,
    )
    network = open_network(args.network, args.weights)
    chains = args.chains_per_class
    steps.start(args.steps * len(L2_WEIGHTS))
    panels = [
        sample(network, settings, l2, chains, args.steps, args.seed, steps) for l2 in L2_WEIGHTS
    ]
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
            lines.append(row_of_pictures(images[::chains], network.pixels, "signed"))
    found = cosines(panels[-1], network.pixels.rest, len(network.labels))
    return Page(
        sheet(lines, labels, network.labels),
        {
            "network": network.reference,
            "seed": args.seed,
            "steps": args.steps,
            "temperature": settings.temperature,
            "burn_in": BURN_IN,
            "chains_per_class": chains,
            "l2": panels[-1].l2,
            "cosine_of_average": found,
        },
        _table(network, found),
    )


def _table(network: Network, found: dict[str, list[float]]) -> list[str]:
    columns = (found[n] for n in ("mean_gradient", "mean_gradient_least", "gradient_at_average"))
    return [
        "cosine of (average - rest) with the chain's mean gradient, and with that at the average:",
        *(
            f"  {label}: {mean:.4f} (least of its chains {least:.4f}), {at:.4f}"
            for label, mean, least, at in zip(network.labels, *columns, strict=True)
        ),
    ]


run = Figure("fig4", "Figure 4", make).run
