"""``ldam-studio paper named``: how often other networks recognise the intended class.

New chains are run for classes spread over a whole split. Other architectures, the judges, then
classify the averages and the last samples. Each row is a preset at a discriminator weight and a
length of the run; results for photographs of the same classes are an upper limit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.analysis import torch_lucent
from ldam_studio.analysis.class_photographs import ClassPhotographs, find_class_photographs
from ldam_studio.analysis.class_splits import RULE, classes_of
from ldam_studio.analysis.drawing import Chains, Method, batches_of, seconds_for, steps_for
from ldam_studio.analysis.former import FORMER_CLEAN
from ldam_studio.analysis.named import Row, measure, see
from ldam_studio.commands.paper.named_table import HEAD, lines, notes
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import Figure, Page, add_count, add_output, row_of_pictures
from ldam_studio.commands.shared.judges import add_judges, judges_of
from ldam_studio.commands.shared.neurons import add_split, spread_classes
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.discriminators import DiscriminatorModel, discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.presets import PRESETS, Preset
from ldam_studio.user_presets import UserPresets

CLASSES, STEPS, SEEDS = 60, 200, 3
SHOWN = 20
"""Number of classes in the picture, which limits its width."""

Length = tuple[int, float | None]
"""Number of steps, and the seconds per picture for which it was chosen; None if it was given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, default="torchvision:squeezenet1_0")
    add_output(parser)
    add_judges(parser)
    add_split(parser)
    parser.add_argument(
        "--classes",
        type=flags.whole_number("--classes", 1, 1_000_000),
        metavar="N",
        help=f"number of classes, spread evenly over the split; default {CLASSES}, or all if fewer",
    )
    add_count(parser, "--seeds", 1, SEEDS, "pictures of each class, from --seed on")
    parser.add_argument(
        "--steps",
        type=flags.whole_number("--steps", 2, 1_000_000),
        metavar="N",
        help=f"length of a run; default {STEPS}, or no such rows if --seconds is given",
    )
    parser.add_argument(
        "--seconds",
        default="",
        metavar="A,B",
        help="rows at equal time: seconds per picture, like 3,10; a few steps of each row are "
        "timed first, and the table says how many steps were chosen and how long they took",
    )
    parser.add_argument(
        "--presets",
        default="paper,clean",
        metavar="A,B",
        help=f"some of {','.join(PRESETS)}, presets that you saved in the window, or "
        f"{FORMER_CLEAN.name}; default paper,clean",
    )
    parser.add_argument(
        "--strengths",
        metavar="A,B",
        help="discriminator weights, with commas between them; default: each preset's own",
    )
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )
    parser.add_argument(
        "--lucent",
        action=argparse.BooleanOptionalAction,
        help="rows for torch-lucent at its defaults; without this flag, if it is installed",
    )
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR",
        help="folder or zip of photographs of the classes, as the ceiling: a folder for each "
        "class, or files called CLASS_NAME.jpg, sorted as the classes are; may be given several "
        "times",
    )
    flags.add_device(parser)
    parser.set_defaults(device="cpu")


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Draw and judge each row, and print each finished row."""
    network = flags.network_of(args)
    judges = judges_of(args, network)
    methods = _methods(args, network)
    neurons = _neurons(args, network)
    photographs = find_class_photographs(args.data or (), network)
    planned = _plan(args, methods, neurons)
    seeds = range(args.seed, args.seed + args.seeds * batches_of(neurons))
    steps.start(sum(length for _, (length, _) in planned) * len(seeds))
    device = flags.device_of(args)
    clock = "seconds of processor time" if device.name == "cpu" else "elapsed seconds"
    for line in (*notes(len(neurons), args.seeds, args.split, clock), HEAD):
        steps.say(line)
    rest = network.pixels.rest
    rows = []
    for method, (length, asked) in planned:
        row = measure(method, judges, neurons, length, seeds, rest, asked, steps)
        rows.append(_said(row, steps))
    for found in photographs:
        real = _real(found, network, judges, neurons)
        if real is not None:
            rows.append(_said(real, steps))
    return Page(
        _picture(network, neurons, rows),
        {
            "network": network.reference,
            "judges": [judge.reference for judge in judges],
            "split": args.split,
            "split_rule": RULE,
            "seed": args.seed,
            "seeds": args.seeds,
            "batch_seeds": list(seeds),
            "classes": [neuron.index for neuron in neurons],
            "labels": [network.label(neuron) for neuron in neurons],
            "pictures_in_a_row": len(neurons) * args.seeds,
            "device": device.json(),
            "seconds_are": clock,
            "presets": {
                method.preset.name: dict(method.preset.settings)
                for method in methods
                if isinstance(method, Chains)
            },
            "rows": [row.json() for row in rows],
        },
    )


def _said(row: Row, steps: Steps) -> Row:
    for line in lines(row):
        steps.say(line)
    return row


def _neurons(args: argparse.Namespace, network: Network) -> tuple[Neuron, ...]:
    classes = len(classes_of(args.split, network.class_layer.neurons))
    count = max(1, min(CLASSES, classes)) if args.classes is None else args.classes
    return spread_classes(network, count, args.split)


def _methods(args: argparse.Namespace, network: Network) -> list[Method]:
    weights = [None] if args.strengths is None else _numbers("--strengths", args.strengths, 1)
    presets = [_preset(name) for name in args.presets.split(",")]
    device = flags.device_of(args)

    def chains(discriminator: DiscriminatorModel | None) -> list[Chains]:
        return [
            Chains(network, preset, weight, discriminator, device)
            for preset in presets
            for weight in weights
        ]

    methods = chains(None)
    if any(each.settings.discriminator_weight for each in methods):
        path = args.discriminator_weights
        methods = chains(discriminator_of(network, path, "use --strengths 0"))
    return [*methods, *_lucent(args, network)]


def _preset(name: str) -> Preset:
    return FORMER_CLEAN if name == FORMER_CLEAN.name else UserPresets().find(name)


def _lucent(args: argparse.Namespace, network: Network) -> list[Method]:
    fits = network.pixels.channels == 3
    if args.lucent and not (fits and torch_lucent.installed()):
        raise StudioError(
            "torch-lucent is not installed, or the network takes no RGB images; leave out "
            "--lucent, or install it as CONTRIBUTING.md says."
        )
    wanted = fits and torch_lucent.installed() if args.lucent is None else args.lucent
    return [torch_lucent.TorchLucent(network)] if wanted else []


def _plan(
    args: argparse.Namespace, methods: Sequence[Method], neurons: Sequence[Neuron]
) -> list[tuple[Method, Length]]:
    """Return the rows: each method with each length."""
    budgets = _numbers("--seconds", args.seconds, None) if args.seconds else []
    fixed = args.steps or (None if budgets else STEPS)
    rows: list[tuple[Method, Length]] = []
    for method in methods:
        if fixed is not None:
            rows.append((method, (fixed, None)))
        if budgets:
            timed = seconds_for(method, neurons)
            rows += [(method, (steps_for(timed, budget), budget)) for budget in budgets]
    return rows


def _numbers(flag: str, text: str, most: float | None) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if most is None:
        good, what = all(0 < number < float("inf") for number in found), "positive numbers"
    else:
        good, what = all(0 <= number <= most for number in found), f"numbers from 0 to {most:g}"
    if not found or not good:
        raise StudioError(f"{flag} are {what} with commas between them, not {text!r}.")
    return found


def _real(
    found: ClassPhotographs, network: Network, judges: Sequence[Network], neurons: Sequence[Neuron]
) -> Row | None:
    wanted = [neuron.index for neuron in neurons]
    images, classes = found.read(wanted, network.pixels)
    if not len(images):
        return None
    seen = see(judges, "real", images, classes, network.pixels.rest)
    about = {"photographs": len(images), "classes": len(classes.unique())}
    return Row(f"{len(images)} of {found.name}", (seen,), about=about)


def _picture(network: Network, neurons: Sequence[Neuron], rows: Sequence[Row]) -> bytes:
    """Return the first run's pictures of `SHOWN` classes, which are evenly spread."""
    count = min(SHOWN, len(neurons))
    shown = [number * len(neurons) // count for number in range(count)]
    images: list[list[Bytes]] = []
    labels = []
    for row in rows:
        for seen, pictures in zip(row.seen, row.pictures, strict=False):
            images.append(row_of_pictures(pictures[shown], network.pixels, "image"))
            labels.append(f"{row.name}, {row.steps} steps, {seen.frames}")
    return sheet(images, labels, [network.label(neurons[number]) for number in shown], zoom=1)


run = Figure("named", "named", make).run
