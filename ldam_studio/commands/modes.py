"""``ldam-studio modes``: how many different pictures excite a neuron, in one network or two."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.analysis.modality import Groups, Modality, Plan, examine
from ldam_studio.analysis.mode_statistics import difference, plan_json, summary, to_json, values_of
from ldam_studio.analysis.sampling import OnStep
from ldam_studio.commands.shared import flags, modes
from ldam_studio.commands.shared.figure import Page, write_page
from ldam_studio.commands.shared.progress import INTERRUPTED, STOPPED, Steps, download
from ldam_studio.commands.shared.settings_flags import add_settings, settings_of
from ldam_studio.engine.compute.device import Device
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.settings import Settings
from ldam_studio.scripting.neurons import neurons_of

FILES = ("modes", "modes-against")
"""Names of the files for the first and the second network."""

PLANNED = ("window", "thin", "burn_in", "threshold")
"""Settings of the averages, which the plan determines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument("--against", metavar="NAME", help="a second network, on the same neurons")
    parser.add_argument("--against-weights", type=Path, metavar="FILE", help="its weights")
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:INDEX",
        help="or a range, for example fc3:0-9; may be given several times; default: up to ten "
        "neurons of the last layer",
    )
    modes.add_plan(parser)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of CIFAR-10, for its real images"
    )
    parser.add_argument(
        "--seeds",
        type=flags.whole_number("--seeds", 1, 1000),
        default=1,
        metavar="N",
        help="number of runs, with successive seeds; default 1",
    )
    flags.add_out(parser, "out/modes")
    flags.add_seed(parser)
    flags.add_device(parser, reproducible=True)
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, group, print the table, write galleries and JSON; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, a network cannot be opened or lacks a neuron, or a file cannot be
        written.
    """
    for name in PLANNED:
        if getattr(args, name) is not None:
            raise StudioError(
                f"--{name.replace('_', '-')} cannot be used here, because --cooling and --averaged "
                "determine which steps are averaged; leave it out."
            )
    device = flags.device_of(args)
    check_folder(args.out)
    networks = [flags.network_of(args)]
    if args.against is not None:
        with download(args.against) as on_bytes:
            options = Options(on_bytes=on_bytes)
            networks.append(open_network(args.against, args.against_weights, options))
    elif args.against_weights is not None:
        raise StudioError("--against-weights needs --against, which names the network.")
    neurons = neurons_of(args.neuron, networks[0])
    neurons = neurons or list(networks[0].default_neurons(min(10, networks[0].class_layer.neurons)))
    for network in networks:
        for neuron in neurons:
            network.check(neuron)
    plan, real = modes.plan_of(args, networks[0])
    try:
        with Steps("modes") as steps:
            steps.start(plan.steps * len(networks) * args.seeds)
            found = [_examined(network, neurons, plan, args, device, steps) for network in networks]
    except KeyboardInterrupt:
        print(STOPPED)
        return INTERRUPTED
    _report(networks, neurons, found, plan, args, real)
    return 0


def _examined(
    network: Network,
    neurons: Sequence[Neuron],
    plan: Plan,
    args: argparse.Namespace,
    device: Device,
    on_step: OnStep,
) -> list[Modality]:
    """Return the modalities of all neurons, seed by seed."""
    settings = settings_for(args, network)
    return [
        modality
        for seed in range(args.seed, args.seed + args.seeds)
        for modality in examine(network, neurons, settings, plan, seed, device, on_step=on_step)
    ]


def settings_for(args: argparse.Namespace, network: Network) -> Settings:
    """Return the settings from the flags, or those of `modes.SETTINGS` where no flag is given."""
    settings = settings_of(args, flags.preset_of(args), network.pixels, discriminator=False)
    for name, value in modes.SETTINGS.items():
        if getattr(args, name) is None and args.preset is None:
            settings = settings.change(name, value)
    return settings


def _report(
    networks: Sequence[Network],
    neurons: Sequence[Neuron],
    found: Sequence[Sequence[Modality]],
    plan: Plan,
    args: argparse.Namespace,
    real: Sequence[Groups],
) -> None:
    """Print the table, write galleries and JSON."""
    values = [[values_of(modality) for modality in each] for each in found]
    summaries = [summary(each, args.seeds) for each in values]
    between = difference(values[0], values[1], args.seeds) if len(values) > 1 else {}
    print(
        f"means over neurons ({len(neurons)}) and seeds ({args.seeds}), {plan.chains} chains each "
        "(95 % bootstrap interval):"
    )
    columns = list(zip([n.name for n in networks], summaries, strict=True))
    columns += [("second minus first", between)] * bool(between)
    print(*modes.table(columns, plan, real), sep="\n")
    seeds = list(range(args.seed, args.seed + args.seeds))
    for name, network, each, means in zip(FILES, networks, found, summaries, strict=False):
        page = Page(
            modes.gallery(network, neurons, each[: len(neurons)]),
            {
                "network": network.reference,
                "neurons": [str(neuron) for neuron in neurons],
                **plan_json(plan, real),
                "seeds": seeds,
                "means": {name: i.json() for name, i in means.items()},
                "difference": {name: i.json() for name, i in between.items()},
                "by_neuron": [to_json(modality) for modality in each],
            },
        )
        print(*write_page(args.out, name, page), sep="\n")
