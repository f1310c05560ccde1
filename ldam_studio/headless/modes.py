"""``ldam-studio modes``: how many different pictures excite a neuron, of one network or of two."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ldam_studio import __version__
from ldam_studio.engine.machine import Machine
from ldam_studio.engine.picture import to_bytes
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.headless import flags
from ldam_studio.headless.modality import Modality, Plan, examine
from ldam_studio.headless.paper.flags import add_machine, add_output, machine_of, write_figure
from ldam_studio.headless.paper.intervals import Interval, bootstrap, mean
from ldam_studio.headless.paper.sheet import ZOOM, Bytes, sheet
from ldam_studio.headless.progress import INTERRUPTED, download, progress
from ldam_studio.networks.network import Network, Neuron
from ldam_studio.networks.zoo import Options, open_network

MOST = 1_000_000
SHOWN = 8
"""Modes of a neuron in the gallery, the most populated ones."""

ENLARGED = 64
"""Sides of pictures up to this are enlarged in the gallery."""

SETTINGS = {"step_size": 0.1, "temperature": 0.01, "l2": 0.5}
"""Where no flag and no preset says otherwise: no discriminator, so that nothing but the network
speaks, and enough L2 that what it does not care for stays at rest."""

MEASURES: dict[str, Callable[[Modality], float]] = {
    "modes": lambda m: float(len(m.shares)),
    "effective modes": lambda m: m.effective,
    "pairwise cosine": lambda m: m.pairwise,
    "gradient's spread": lambda m: m.spread,
}
"""What is reported of each neuron, see `Modality`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    plan = Plan()
    flags.add_network(parser, "lenet")
    parser.add_argument("--against", metavar="NAME", help="a second network, on the same neurons")
    parser.add_argument("--against-weights", type=Path, metavar="FILE", help="its weights")
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:INDEX",
        help="repeatable; ranges as fc3:0-9; default: up to ten neurons of the last layer",
    )
    count = flags.whole_number
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
        default=plan.similarity,
        metavar="COSINE",
        help=f"from which two groups of averages are one mode; default {plan.similarity}",
    )
    parser.add_argument(
        "--seeds",
        type=count("--seeds", 1, 1000),
        default=1,
        metavar="N",
        help="runs of the chains, each a seed higher; default 1",
    )
    add_output(parser)
    parser.set_defaults(out=Path("out/modes"))
    add_machine(parser)
    flags.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, group, print the table, write galleries and JSON; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, a network cannot be opened or lacks a neuron, a file cannot be
        written.
    """
    machine = machine_of(args)
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
    plan = Plan(args.chains, args.cooling, args.averaged, args.similarity)
    try:
        found = _examine_all(networks, neurons, plan, args, machine)
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return INTERRUPTED
    _report(networks, neurons, found, plan, args)
    return 0


def _examine_all(
    networks: Sequence[Network],
    neurons: Sequence[Neuron],
    plan: Plan,
    args: argparse.Namespace,
    machine: Machine,
) -> list[list[Modality]]:
    """Return, for each network, the modalities of all neurons in all seeds."""
    found: list[list[Modality]] = []
    with progress() as bar:
        task = bar.add_task("modes", total=plan.steps * len(networks) * args.seeds)
        for network in networks:
            settings = flags.settings_of(
                args, flags.preset_of(args), network.pixels, discriminator=False
            )
            for name, value in SETTINGS.items():
                if getattr(args, name) is None and args.preset is None:
                    settings = settings.change(name, value)
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
                        machine,
                        on_step=lambda: bar.advance(task),
                    )
                ]
            )
    return found


def _report(
    networks: Sequence[Network],
    neurons: Sequence[Neuron],
    found: Sequence[Sequence[Modality]],
    plan: Plan,
    args: argparse.Namespace,
) -> None:
    summaries = [
        {name: bootstrap([of(m) for m in each], mean) for name, of in MEASURES.items()}
        for each in found
    ]
    differences: dict[str, Interval] = {}
    if len(found) > 1:
        differences = {
            name: bootstrap([of(b) - of(a) for a, b in zip(*found, strict=True)], mean)
            for name, of in MEASURES.items()
        }
    _print(networks, summaries, differences, plan, len(found[0]))
    for number, (network, each) in enumerate(zip(networks, found, strict=True)):
        name = "modes" if number == 0 else "modes-against"
        write_figure(
            args.out,
            name,
            _gallery(network, neurons, each[: len(neurons)]),
            {
                "version": __version__,
                "network": network.reference,
                "neurons": [str(neuron) for neuron in neurons],
                "chains": plan.chains,
                "cooling": plan.cooling,
                "averaged": plan.averaged,
                "similarity": plan.similarity,
                "seeds": [args.seed + number for number in range(args.seeds)],
                "means": {name: i.json() for name, i in summaries[number].items()},
                "difference": {name: i.json() for name, i in differences.items()},
                "by_neuron": [_json(m) for m in each],
            },
        )


def _json(modality: Modality) -> dict[str, Any]:
    return {
        "shares": [round(share, 4) for share in modality.shares],
        "activation": round(modality.activation, 4),
    } | {name: round(of(modality), 5) for name, of in MEASURES.items()}


def _print(
    networks: Sequence[Network],
    summaries: Sequence[dict[str, Interval]],
    differences: dict[str, Interval],
    plan: Plan,
    values: int,
) -> None:
    print(
        f"means over {values} neurons and seeds, {plan.chains} chains each, one mode from a cosine "
        f"of {plan.similarity} (95 % bootstrap interval):"
    )
    columns = [*zip([n.name for n in networks], summaries, strict=True)]
    if differences:
        columns.append(("second minus first", differences))
    for name, summary in columns:
        print(name)
        for measure, interval in summary.items():
            print(f"  {measure:18} {interval}")


def _gallery(network: Network, neurons: Sequence[Neuron], each: Sequence[Modality]) -> bytes:
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
