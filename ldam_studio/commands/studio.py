"""The ``studio`` sub-command: converts its flags to what the window starts with."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.gui.app.display import no_display
from ldam_studio.gui.app.launch import open_studio
from ldam_studio.gui.app.start import Named, Start

if TYPE_CHECKING:
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.networks.sources.request import NetworkRequest

ABOUT_NETWORK: tuple[str, ...] = ("weights", "partial", "labels", "input_size", "mean", "std")
ABOUT_NETWORK += ("minimum", "maximum", "rest", "show_channels")
NOT_ASKED_FOR = ("neuron", "chains", "seed", "compare", "compare_weights", "compare_set")
"""What the dialog of a network whose input is unknown cannot take over."""
ABOUT_NETWORK += NOT_ASKED_FOR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio studio``."""
    # Imported here, so that this module can be imported without torch.
    from ldam_studio.commands.shared.beside import add_beside
    from ldam_studio.commands.shared.flags import add_network, add_out, add_preset
    from ldam_studio.commands.shared.links import file_or_link

    parser.add_argument(
        "file",
        nargs="?",
        type=file_or_link,
        help="a session file, an exported picture or figure, the folder of an atlas, or a link, to "
        "open",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start a new session instead of the last one"
    )
    add_window(parser)
    add_out(parser, "out", "output folder of a run without a display")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="duration of a run without a display"
    )
    add_preset(parser)
    add_network(parser, default=None)
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:INDEX",
        help="a neuron to begin with, for example fc3:4 or fc3:0-9, or the name of a class; may be "
        "given more than once",
    )
    parser.add_argument("--chains", type=int, metavar="N", help="number of all chains")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of all random numbers")
    add_beside(parser)


def add_window(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every command that opens the window."""
    from ldam_studio.commands.shared.flags import add_device

    add_device(parser, default_threads=0)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data sets")


def run(args: argparse.Namespace) -> int:
    """Open the studio; return the exit code.

    Raises
    ------
    StudioError
        If flags contradict each other, what they name cannot be opened, or Qt cannot be loaded.
    """
    if args.network is None:
        values = {name: getattr(args, name) for name in ABOUT_NETWORK}
        given = [name for name, value in values.items() if value is not None and value is not False]
        if given:
            flag = given[0].replace("_", "-")
            raise StudioError(f"--{flag} needs --network, which names the network.")
    elif args.file is not None:
        raise StudioError(
            f"{args.file} contains the name of its network; give either a file or --network."
        )
    return open_studio(start_of(args))


def start_of(args: argparse.Namespace) -> Start:
    """Return what the studio starts with according to the flags.

    Raises
    ------
    StudioError
        If the device is not available, or a preset or network cannot be opened.
    """
    from ldam_studio.commands.shared.flags import device_of, preset_of

    device = device_of(args)
    preset = preset_of(args)
    named, unknown = named_or_unknown(args, device)
    return Start(
        device,
        args.data,
        fresh=args.fresh,
        preset=preset,
        named=named,
        unknown=unknown,
        file=args.file if isinstance(args.file, Path) else None,
        link=args.file if isinstance(args.file, str) else "",
        out=args.out,
        seconds=args.seconds,
    )


def named_or_unknown(
    args: argparse.Namespace, device: Device
) -> tuple[Named | None, NetworkRequest | None]:
    """Open the network that ``--network`` names.

    If its input is unknown and there is a window, nothing is opened: the request is returned as the
    second value, and a dialog asks for the input. The dialog cannot take over a comparison or the
    chains to begin with; in that case the error says which flags to give.

    Raises
    ------
    StudioError
        If the network cannot be opened.
    """
    from ldam_studio.networks.pixels import UnknownInputError

    try:
        return named_network(args, device), None
    except UnknownInputError:
        if no_display() or any(getattr(args, name) is not None for name in NOT_ASKED_FOR):
            raise
    return None, request_of(args)


def named_network(args: argparse.Namespace, device: Device) -> Named | None:
    """Open the network that ``--network`` names, and the network beside it; None without the flag.

    Raises
    ------
    StudioError
        If one of them cannot be opened.
    """
    if args.network is None:
        return None
    from ldam_studio.commands.shared.beside import beside_of
    from ldam_studio.commands.shared.flags import network_of
    from ldam_studio.gui.app.asked import Asked, spec_of

    device.apply()
    network = network_of(args)
    request = replace(request_of(args), pixels=network.provenance.given_pixels)
    asked = Asked(network, args.neuron, chains=args.chains, seed=args.seed)
    return Named(network, request, beside_of(args, network), spec_of(asked, network, device))


def request_of(args: argparse.Namespace) -> NetworkRequest:
    """Return the request for the network that the flags name, without its input."""
    from ldam_studio.networks.sources.request import NetworkRequest
    from ldam_studio.networks.weights.choice import WeightsChoice

    weights = args.weights or WeightsChoice()
    return NetworkRequest(
        args.network,
        weights.file,
        args.labels,
        args.partial,
        steady=args.steady,
        class_layer=args.class_layer,
        weights_key=weights.key,
        random_seed=weights.seed,
    )
