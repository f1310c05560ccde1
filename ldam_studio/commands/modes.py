"""``ldam-studio modes``: how many different pictures excite a neuron, of one network or of two."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldam_studio import __version__
from ldam_studio.analysis.intervals import Interval, bootstrap_crossed
from ldam_studio.analysis.modality import Groups, Modality, Plan, examine
from ldam_studio.analysis.real_images import likeness, real_groups, real_images
from ldam_studio.commands.paper.flags import add_device, add_output, device_of, write_figure
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, download, progress
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import ZOOM, Bytes, sheet
from ldam_studio.files import check_folder
from ldam_studio.networks.network import Network, Neuron
from ldam_studio.networks.sources.opening import Options, open_network
from ldam_studio.sampler.settings import Settings

MOST = 1_000_000
SHOWN = 8
"""Modes of a neuron in the gallery, the most populated ones."""

ENLARGED = 64
"""Sides of pictures up to this are enlarged in the gallery."""

SETTINGS = {"step_size": 0.1, "temperature": 0.1, "l2": 2.0}
"""Where no flag and no preset says otherwise: no discriminator, so that nothing but the network
speaks. L2 holds a picture's root-mean-square at 1 / (2 L2) at most, a quarter of the way from black
to white as in real images: with less of it the chains end far outside of what the network knows,
each in an optimum of its own. The temperature lets a chain cross what is shallow between optima."""

MEASURES: dict[str, Callable[[Modality], float]] = {
    "modes": lambda m: float(len(m.shares)),
    "effective modes": lambda m: m.effective,
    "pairwise cosine": lambda m: m.pairwise,
    "gradient's spread": lambda m: m.spread,
}
"""What is reported of each neuron, see `Modality`."""

PLANNED = ("window", "thin", "burn_in", "threshold")
"""Settings of the average that the plan decides."""

Values = Mapping[str, float]
"""Of `MEASURES`, by name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument("--against", metavar="NAME", help="a second network, on the same neurons")
    parser.add_argument("--against-weights", type=Path, metavar="FILE", help="its weights")
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:INDEX",
        help="repeatable; ranges as fc3:0-9; default: up to ten neurons of the last layer",
    )
    add_plan(parser)
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10, for its real images")
    parser.add_argument(
        "--seeds",
        type=flags.whole_number("--seeds", 1, 1000),
        default=1,
        metavar="N",
        help="runs of the chains, each a seed higher; default 1",
    )
    add_output(parser)
    parser.set_defaults(out=Path("out/modes"))
    add_device(parser)
    flags.add_settings(parser)


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Declare how the chains of each neuron are run and grouped."""
    plan, count = Plan(), flags.whole_number
    for name, least, most, default, text in (
        ("--chains", 1, 10_000, plan.chains, "of each neuron"),
        ("--cooling", 0, MOST, plan.cooling, "steps down from 100 times the temperature"),
        ("--averaged", 1, MOST, plan.averaged, "steps after that, which are averaged"),
    ):
        parser.add_argument(
            name,
            type=count(name, least, most),
            default=default,
            metavar="N",
            help=f"{text}; default {default}",
        )
    parser.add_argument(
        "--similarity",
        type=_cosine,
        metavar="COSINE",
        help="from which two groups of averages are one mode; default: that of two real images of "
        f"a class where the program has some, else {plan.similarity}",
    )


def run(args: argparse.Namespace) -> int:
    """Sample, group, print the table, write galleries and JSON; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, a network cannot be opened or lacks a neuron, a file cannot be
        written.
    """
    for name in PLANNED:
        if getattr(args, name) is not None:
            raise StudioError(
                f"--{name.replace('_', '-')} has no say here: each step after the --cooling is "
                "averaged, --averaged of them; leave it out."
            )
    device = device_of(args)
    check_folder(args.out)
    networks = [flags.network_of(args)]
    if args.against is not None:
        with download(args.against) as on_bytes:
            options = Options(on_bytes=on_bytes)
            networks.append(open_network(args.against, args.against_weights, options))
    elif args.against_weights is not None:
        raise StudioError("--against-weights says something about --against; give that too.")
    neurons = flags.neurons_of(args.neuron, networks[0])
    neurons = neurons or list(networks[0].default_neurons(min(10, networks[0].layers[-1].neurons)))
    for network in networks:
        for neuron in neurons:
            network.check(neuron)
    plan, real = plan_of(args, networks[0])
    try:
        found = _examine_all(networks, neurons, plan, args, device)
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return INTERRUPTED
    _report(networks, neurons, found, plan, args, real)
    return 0


def plan_of(args: argparse.Namespace, network: Network) -> tuple[Plan, list[Groups]]:
    """Return how the chains are run, and as many real images of each class, grouped alike.

    Raises
    ------
    StudioError
        The data that was named is missing or damaged.
    """
    images = real_images(network, args.data)
    least = args.similarity
    if least is None:
        least = Plan().similarity if images is None else round(likeness(network, images), 3)
    plan = Plan(args.chains, args.cooling, args.averaged, least)
    real = [] if images is None else real_groups(network, images, plan.chains, least)
    return plan, real


def _examine_all(
    networks: Sequence[Network],
    neurons: Sequence[Neuron],
    plan: Plan,
    args: argparse.Namespace,
    device: Device,
) -> list[list[Modality]]:
    """Return, for each network, the modalities of all neurons in all seeds."""
    found: list[list[Modality]] = []
    with progress() as bar:
        task = bar.add_task("modes", total=plan.steps * len(networks) * args.seeds)
        for network in networks:
            settings = settings_for(args, network)
            found.append(
                [
                    modality
                    for number in range(args.seeds)
                    for modality in examine(
                        network,
                        neurons,
                        settings,
                        plan,
                        args.seed + number,
                        device,
                        on_step=lambda: bar.advance(task),
                    )
                ]
            )
    return found


def settings_for(args: argparse.Namespace, network: Network) -> Settings:
    """Return the settings that the flags ask for, else those of `SETTINGS`."""
    settings = flags.settings_of(args, flags.preset_of(args), network.pixels, discriminator=False)
    for name, value in SETTINGS.items():
        if getattr(args, name) is None and args.preset is None:
            settings = settings.change(name, value)
    return settings


def values_of(modality: Modality) -> dict[str, float]:
    """Return each measure's value."""
    return {name: of(modality) for name, of in MEASURES.items()}


def summary(values: Sequence[Values], runs: int) -> dict[str, Interval]:
    """Return the mean of each measure over `runs` runs, one after another, of the same neurons."""
    return {name: bootstrap_crossed(_table(values, name, runs)) for name in MEASURES}


def difference(first: Sequence[Values], second: Sequence[Values], runs: int) -> dict[str, Interval]:
    """Return the mean of second minus first, neuron by neuron and run by run."""
    return {
        name: bootstrap_crossed(_table(second, name, runs) - _table(first, name, runs))
        for name in MEASURES
    }


def _table(values: Sequence[Values], name: str, runs: int) -> Tensor:
    return torch.tensor([each[name] for each in values], dtype=torch.float64).reshape(runs, -1)


def _report(
    networks: Sequence[Network],
    neurons: Sequence[Neuron],
    found: Sequence[Sequence[Modality]],
    plan: Plan,
    args: argparse.Namespace,
    real: Sequence[Groups],
) -> None:
    values = [[values_of(modality) for modality in each] for each in found]
    summaries = [summary(each, args.seeds) for each in values]
    between = difference(values[0], values[1], args.seeds) if len(values) > 1 else {}
    print(
        f"means over {len(neurons)} neurons and {args.seeds} seeds of {plan.chains} chains each "
        "(95 % bootstrap interval):"
    )
    columns = list(zip([n.name for n in networks], summaries, strict=True))
    print_columns(columns + [("second minus first", between)] * bool(between), plan, real)
    for number, (network, each) in enumerate(zip(networks, found, strict=True)):
        name = "modes" if number == 0 else "modes-against"
        write_figure(
            args.out,
            name,
            gallery(network, neurons, each[: len(neurons)]),
            {
                "version": __version__,
                "network": network.reference,
                "neurons": [str(neuron) for neuron in neurons],
                **plan_json(plan, real),
                "seeds": [args.seed + number for number in range(args.seeds)],
                "means": {name: i.json() for name, i in summaries[number].items()},
                "difference": {name: i.json() for name, i in between.items()},
                "by_neuron": [to_json(m) for m in each],
            },
        )


def plan_json(plan: Plan, real: Sequence[Groups]) -> dict[str, Any]:
    """Return the plan, and what real images give by it, in JSON's types."""
    yardstick = {name: round(value, 4) for name, value in _of_real(real).items()}
    return {**asdict(plan), "real_images": yardstick}


def _of_real(real: Sequence[Groups]) -> dict[str, float]:
    """Return the means over the classes of what real images give, by measure."""
    if not real:
        return {}
    return {
        "modes": sum(len(groups.shares) for groups in real) / len(real),
        "effective modes": sum(groups.effective for groups in real) / len(real),
        "pairwise cosine": sum(groups.pairwise for groups in real) / len(real),
    }


def to_json(modality: Modality) -> dict[str, Any]:
    """Return a neuron's numbers in JSON's types."""
    return {
        "shares": [round(share, 4) for share in modality.shares],
        "activation": round(modality.activation, 4),
    } | {name: round(value, 5) for name, value in values_of(modality).items()}


def print_columns(
    columns: Sequence[tuple[str, dict[str, Interval]]], plan: Plan, real: Sequence[Groups]
) -> None:
    """Print each summary under its name, and what real images give."""
    for name, summary_ in columns:
        print(name)
        for measure, interval in summary_.items():
            print(f"  {measure:18} {interval}")
    print(f"one mode from a cosine of {plan.similarity:g} on", end="")
    if not real:
        print()
        return
    values = ", ".join(f"{name} {value:.3f}" for name, value in _of_real(real).items())
    print(f"; {plan.chains} real images of a class: {values}")


def gallery(network: Network, neurons: Sequence[Neuron], each: Sequence[Modality]) -> bytes:
    """Return a PNG: for each neuron its modes, most populated first, and how populated they are."""
    columns = max(min(SHOWN, len(modality.shares)) for modality in each)
    lines: list[list[Bytes]] = []
    words = []
    for neuron, modality in zip(neurons, each, strict=True):
        pictures = modality.pictures[:SHOWN]
        lines.append([to_bytes(picture.numpy(), network.pixels, "signed") for picture in pictures])
        shares = " ".join(f"{share:.0%}" for share in modality.shares[:3])
        words.append(f"{network.label(neuron)}: {shares}")
    zoom = ZOOM if max(network.pixels.height, network.pixels.width) <= ENLARGED else 1
    return sheet(lines, words, [f"mode {number + 1}" for number in range(columns)], zoom)


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise StudioError(f"--similarity must be a number, not {text!r}.") from None
    if not -1 <= value <= 1:
        raise StudioError(f"--similarity is a cosine, between -1 and 1, not {value:g}.")
    return value
