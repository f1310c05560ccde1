"""``ldam-studio paper cycles``: whether warm restarts show more of a neuron's pictures.

It is no figure of the paper. The same chains run at a constant temperature, cooled once, and in
cycles, with as many steps each; see `analysis.warm_restarts`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import torch

from ldam_studio.analysis.class_images import likeness, real_images
from ldam_studio.analysis.intervals import Interval, bootstrap_crossed
from ldam_studio.analysis.warm_restarts import Found, Plan, examine, schedules
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import Figure, Page, add_count, add_output, row_of_pictures
from ldam_studio.commands.shared.modes import SETTINGS, SHOWN
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.export.sheet import ZOOM, sheet
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

MEASURES: dict[str, Callable[[Found], float]] = {
    "modes": lambda found: float(len(found.pictures)),
    "crossed": lambda found: found.crossed,
    "activation": lambda found: found.activation,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the figure's flags."""
    plan = Plan()
    add_count(parser, "--chains", 1, plan.chains, "number of chains of each class")
    add_count(parser, "--cycles", 2, plan.cycles, "number of cycles")
    add_count(parser, "--length", 2, plan.length, "steps of each cycle")
    add_count(parser, "--seeds", 1, 5, "number of runs, with successive seeds")
    flags.add_device(parser, reproducible=True)
    add_output(parser)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Run LeNet's ten classes under each schedule; return the page."""
    network, device = open_network("lenet"), flags.device_of(args)
    images = real_images(network, None)
    least = Plan().similarity if images is None else round(likeness(network, images), 3)
    plan = Plan(args.chains, args.cycles, args.length, similarity=least)
    neurons = network.default_neurons(network.class_layer.neurons)
    of_each = schedules(Settings.of(**SETTINGS), plan)
    seeds = range(args.seed, args.seed + args.seeds)
    steps.start(plan.steps * len(of_each) * len(seeds))
    found = {
        name: [examine(network, neurons, own, plan, seed, device, steps) for seed in seeds]
        for name, own in of_each.items()
    }
    means = {name: _means(each) for name, each in found.items()}
    means["cycles minus constant"] = _means(found["cycles"], found["constant"])
    table = [
        f"means over classes ({len(neurons)}) and seeds ({len(seeds)}), {plan.chains} chains each, "
        f"{plan.steps:,} steps (95 % bootstrap interval):"
    ]
    for name, measures in means.items():
        table.append(name)
        table += [f"  {measure:12} {interval}" for measure, interval in measures.items()]
    table.append(
        f"one mode from a cosine of {plan.similarity:g} on, {plan.cycles} averages of each chain"
    )
    numbers: dict[str, Any] = {
        "network": network.reference,
        "settings": SETTINGS,
        **asdict(plan),
        "seeds": list(seeds),
        "means": {
            name: {measure: interval.json() for measure, interval in measures.items()}
            for name, measures in means.items()
        },
    }
    lines = [
        row_of_pictures(found[name][0][index].pictures[:SHOWN], network.pixels, "signed")
        for index in range(len(neurons))
        for name in ("constant", "cycles")
    ]
    words = [
        f"{network.label(neuron)}, {name}" for neuron in neurons for name in ("constant", "cycles")
    ]
    heads = [f"mode {number + 1}" for number in range(max(map(len, lines)))]
    return Page(sheet(lines, words, heads, ZOOM), numbers, table)


def _means(
    found: Sequence[Sequence[Found]], less: Sequence[Sequence[Found]] | None = None
) -> dict[str, Interval]:
    """Return the mean of each measure over runs and neurons, or that of the difference."""

    def table(each: Sequence[Sequence[Found]], name: str) -> torch.Tensor:
        values = [[MEASURES[name](one) for one in run] for run in each]
        return torch.tensor(values, dtype=torch.float64)

    return {
        name: bootstrap_crossed(table(found, name) - (0 if less is None else table(less, name)))
        for name in MEASURES
    }


run = Figure("cycles", "cycles", make).run
