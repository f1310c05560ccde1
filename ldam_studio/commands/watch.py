"""The ``watch`` sub-command: opens the studio on a network that is being trained elsewhere."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ldam_studio.commands.studio import add_window
from ldam_studio.gui.app.launch import open_studio
from ldam_studio.gui.app.start import Start, Watched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio watch``."""
    # Imported here, so that this module can be imported without torch.
    from ldam_studio.commands.shared.flags import add_network, whole_number
    from ldam_studio.engine.watching.watcher import MOST_CHECKPOINTS
    from ldam_studio.sampler.settings import SETTINGS

    rounds = SETTINGS["discriminator_rounds"]
    parser.add_argument(
        "place",
        type=Path,
        metavar="FILE_OR_FOLDER",
        help="a folder into which a training writes checkpoints, or a file that it overwrites; "
        "FOLDER::KEY for one of several sets of weights in each, for example runs::model_ema",
    )
    parser.add_argument(
        "--average",
        type=whole_number("--average", 0, MOST_CHECKPOINTS),
        default=0,
        metavar="N",
        help="show the mean of the last N checkpoints; default: each by itself",
    )
    parser.add_argument(
        "--discriminator-rounds",
        type=whole_number("--discriminator-rounds", 0, int(rounds.maximum)),
        default=rounds.default,
        metavar="N",
        help=f"{rounds.help} Default: {rounds.default}.",
    )
    add_window(parser)
    add_network(parser, default="lenet")


def run(args: argparse.Namespace) -> int:
    """Open the network and watch its training; return the exit code.

    Raises
    ------
    StudioError
        If the place cannot be read or is another kind of file, its checkpoints belong to another
        network, or the window cannot be opened.
    """
    from ldam_studio.commands.shared.flags import device_of, network_of
    from ldam_studio.engine.watching.opening import open_watched
    from ldam_studio.networks.weights.checkpoint_folder import check_kind
    from ldam_studio.networks.weights.choice import WeightsChoice

    # FOLDER::KEY names one of several sets of weights in each checkpoint.
    chosen = WeightsChoice.parse(str(args.place))
    place = args.place if chosen.file is None or args.place.exists() else chosen.file
    key = chosen.key if place == chosen.file else None
    check_kind(place)
    device = device_of(args)
    # Opened before the window, so that an error appears in the terminal.
    network = network_of(
        args,
        opened=lambda name, weights, options: open_watched(
            name, place, options if key is None else replace(options, weights_key=key), weights
        ),
    )
    watched = Watched(place, network, args.average, args.discriminator_rounds)
    return open_studio(Start(device, args.data, watched=watched))
