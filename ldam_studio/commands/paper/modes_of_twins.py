"""``ldam-studio paper modes``: whether neurons have fewer pictures with averaged parameters.

This measures the paper's finding. A network after its last epoch is compared with its twin with
averaged parameters, in all ten classes, over several trainings with different seeds (Jiang et al.,
arXiv 1812.04604, sections 4 and 6). Finished trainings and measurements are read from the folder,
so that a stopped run can be continued.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ldam_studio import __version__
from ldam_studio.analysis.modality import Plan, examine
from ldam_studio.analysis.mode_statistics import Values, difference, plan_json, summary, values_of
from ldam_studio.commands.shared import flags, modes
from ldam_studio.commands.shared.figure import to_json
from ldam_studio.commands.shared.flags import whole_number
from ldam_studio.commands.shared.progress import INTERRUPTED, STOPPED, Steps
from ldam_studio.commands.train import cifar10, mnist
from ldam_studio.commands.train.flags import EITHER, add_epochs
from ldam_studio.engine.compute.device import Device
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder, write_together
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.kept import RUN_FILE

TRAININGS = {"lenet": mnist, "vgg": cifar10}
"""The command that trains each network and its twin."""

SEEDS, QUICK = 5, 2

Found = tuple[Sequence[Values], Sequence[Values]]
"""The measures of each class neuron, for the network and for its twin."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--network", default="lenet", choices=list(TRAININGS))
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--seeds",
        type=whole_number("--seeds", 1, 1000),
        default=SEEDS,
        metavar="N",
        help=f"number of trainings; default {SEEDS}",
    )
    number.add_argument(
        "--quick", dest="seeds", action="store_const", const=QUICK, help=f"{QUICK} trainings"
    )
    flags.add_data(parser, EITHER)
    add_epochs(parser, None)
    modes.add_plan(parser)
    flags.add_out(parser, "out/paper/modes")
    flags.add_seed(parser)


def run(args: argparse.Namespace) -> int:
    """Train and measure what is missing, print the table, write JSON; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    check_folder(args.out)
    found: list[Found] = []
    plan, real = Plan(), None
    for seed in range(args.seed, args.seed + args.seeds):
        folder = args.out / f"{args.network}-seed-{seed}"
        if _train(args, folder, seed):
            return INTERRUPTED
        names = args.network, f"{args.network}-averaged"
        networks = [open_network(name, folder / f"{name}.safetensors") for name in names]
        if real is None:
            plan, real = modes.plan_of(args, networks[0])
        results = _examined(networks, plan, folder, seed)
        if results is None:
            return INTERRUPTED
        found.append(results)
        print(f"seed {seed}: done", flush=True)
    assert real is not None
    first, second = ([values for each in found for values in each[side]] for side in (0, 1))
    columns = [
        ("last epoch", summary(first, len(found))),
        ("averaged parameters", summary(second, len(found))),
        ("averaged minus last epoch", difference(first, second, len(found))),
    ]
    path = args.out / f"modes-{args.network}.json"
    content = {
        "version": __version__,
        "network": args.network,
        "seeds": list(range(args.seed, args.seed + args.seeds)),
        **plan_json(plan, real),
        "settings": modes.SETTINGS,
        "means": {name: {k: i.json() for k, i in values.items()} for name, values in columns},
        "by_seed": [{"base": list(base), "averaged": list(twin)} for base, twin in found],
    }
    write_together({path: to_json(content)})
    print(
        f"{args.network}: means over {len(found)} trainings and {len(found[0][0])} class neurons "
        f"of {plan.chains} chains each (95 % bootstrap interval over both):"
    )
    print(*modes.table(columns, plan, real), path, sep="\n")
    return 0


def _train(args: argparse.Namespace, folder: Path, seed: int) -> int:
    """Train a network and its twin unless the folder has them; return the exit code."""
    files = [folder / f"{name}.safetensors" for name in (args.network, f"{args.network}-averaged")]
    if all(file.is_file() for file in files):
        return 0
    command = TRAININGS[args.network]
    words = ["--out", str(folder), "--seed", str(seed)]
    words += ["--data", str(args.data)] if args.data is not None else []
    words += ["--download"] if args.download else []
    words += ["--epochs", str(args.epochs)] if args.epochs is not None else []
    if (folder / RUN_FILE).is_file():
        words.append("--resume")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    code: int = command.run(parser.parse_args(words))
    return code


def _examined(networks: Sequence[Network], plan: Plan, folder: Path, seed: int) -> Found | None:
    """Return the measures of both networks, read from the folder if it has them.

    The result is None after Ctrl-C.
    """
    about = json.loads(
        json.dumps(
            {
                **plan_json(plan, []),
                "settings": modes.SETTINGS,
                "networks": [network.sha256 for network in networks],
            }
        )
    )
    path = folder / "modes.json"
    kept = _kept(path, about)
    if kept is not None:
        return kept
    settings, device = Settings.of(**modes.SETTINGS), Device()
    neurons = networks[0].default_neurons(networks[0].class_layer.neurons)
    try:
        with Steps(f"seed {seed}") as steps:
            steps.start(plan.steps * len(networks))
            found = [
                examine(network, neurons, settings, plan, seed, device, on_step=steps)
                for network in networks
            ]
    except KeyboardInterrupt:
        print(STOPPED)
        return None

    base, twin = ([values_of(modality) for modality in each] for each in found)
    pictures = {
        folder / f"modes-{network.name}.png": modes.gallery(network, neurons, each)
        for network, each in zip(networks, found, strict=True)
    }
    write_together({**pictures, path: to_json({**about, "found": [base, twin]})})
    return base, twin


def _kept(path: Path, about: dict[str, Any]) -> Found | None:
    """Return the results of an earlier run with the same plan and weights; None without any."""
    try:
        content = json.loads(path.read_bytes())
        if {name: content[name] for name in about} != about:
            return None
        base, twin = content["found"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudioError(f"{path} is damaged ({error}); delete it to measure again.") from None
    return base, twin
