"""``ldam-studio render``: sample without a window and write the pictures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ldam_studio.commands.render_report import in_words, report_of
from ldam_studio.commands.rendered import sample, write
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.beside import add_beside, beside_of
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.shared.settings_flags import add_settings, settings_of
from ldam_studio.commands.shared.statistics import compared
from ldam_studio.engine.picture import DISPLAYS
from ldam_studio.engine.plans.finder import find_plan
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.formats.table import FORMATS
from ldam_studio.export.shown import MAX_ZOOM, Shown
from ldam_studio.files import check_folder
from ldam_studio.networks.anatomy.objectives import explained
from ldam_studio.networks.discriminators import discriminator_for
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.scripting.neurons import neurons_of
from ldam_studio.scripting.request import MOST_STEPS, check_samples, session_for

DEFAULT_NEURONS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:N",
        help="fc3:4, a range like fc3:0-9, or the name of a class. The address may be followed "
        f"by {explained()}; a minus before it (--neuron=-fc3:4) minimises the neuron. "
        "May be given several times, for one layer. Default: the first "
        f"{DEFAULT_NEURONS} of the last layer",
    )
    parser.add_argument(
        "--chains",
        type=flags.whole_number("--chains", 1, int(SETTINGS["chains"].maximum)),
        metavar="N",
        help="total number of chains, spread evenly over the neurons, at least one for each. "
        "Default: one for each",
    )
    parser.add_argument(
        "--steps", type=flags.whole_number("--steps", 1, MOST_STEPS), default=500, metavar="N"
    )
    flags.add_seed(parser)
    parser.add_argument("--discriminator-weights", type=Path, metavar="FILE")
    parser.add_argument(
        "--learn-every",
        type=flags.whole_number("--learn-every", 0, int(SETTINGS["learn_every"].maximum)),
        default=0,
        metavar="N",
        help=SETTINGS["learn_every"].help,
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of real images for a discriminator that learns; default: the shipped ones. "
        "With --photo-statistics, a folder or zip of photographs on which the network is measured "
        "once, if nothing is known of its weights",
    )
    add_settings(parser)
    add_beside(parser)
    flags.add_device(parser)
    group = parser.add_argument_group("output")
    flags.add_out(group, "out")
    group.add_argument("--display", default="signed", metavar="|".join(DISPLAYS))
    group.add_argument(
        "--zoom", type=flags.whole_number("--zoom", 1, MAX_ZOOM), default=1, metavar="N"
    )
    group.add_argument(
        "--format", choices=tuple(FORMATS), default=next(iter(FORMATS)), help="of the pictures"
    )
    group.add_argument(
        "--arrays",
        action="store_true",
        help="also write chains.npz: x and average (chains, C, H, W), in pixel units from 0 for "
        "black to 1 for white, whatever --minimum and --maximum are; activation, or "
        "with another objective objective (steps, chains), of the images before each step",
    )
    group.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Sample and write the pictures; return the exit code, 130 after Ctrl-C.

    Raises
    ------
    StudioError
        If something that the flags name does not exist or is out of range, a chain exploded, or a
        file cannot be written.
    """
    shown = Shown("averages", display=args.display, zoom=args.zoom)
    spec = spec_of(args)
    check_samples(spec, args.steps)
    check_folder(args.out)
    sampled = sample(find_plan(open_session(spec)), args.steps, keep_activation=args.arrays)
    suffix = FORMATS[args.format].suffixes[0]
    paths = write(sampled, shown, args.out, suffix, arrays=args.arrays)
    report = report_of(sampled, paths)
    if args.json:
        print(json.dumps(report))
    else:
        print(in_words(report))
    return INTERRUPTED if sampled.interrupted else 0


def spec_of(args: argparse.Namespace) -> SessionSpec:
    """Return the session that the flags describe.

    Raises
    ------
    StudioError
        If there is no such preset, network, layer, neuron, device or file.
    """
    preset = flags.preset_of(args)
    network = flags.network_of(args)
    for note in network.provenance.notes:
        print(f"ldam-studio: {network.name}: {note}", file=sys.stderr)
    fits = discriminator_for(network) is not None
    settings = settings_of(args, preset, network.pixels, discriminator=fits)
    neurons = neurons_of(args.neuron, network)
    outputs = network.class_layer.neurons
    neurons = neurons or list(network.default_neurons(min(outputs, DEFAULT_NEURONS)))
    network = compared(network, settings, args.data)
    return session_for(
        network,
        neurons,
        settings,
        flags.device_of(args),
        chains=args.chains,
        seed=args.seed,
        discriminator_weights=args.discriminator_weights,
        learn_every=args.learn_every,
        data=args.data,
        beside=beside_of(args, network),
    )
