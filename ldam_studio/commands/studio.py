"""The ``studio`` sub-command: its flags, turned into what the window starts with."""

from __future__ import annotations

import argparse
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
ABOUT_NETWORK += ("compare", "compare_weights", "compare_set")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio studio``."""
    # Imported late, so that this module can be imported without torch.
    from ldam_studio.commands.shared.beside import add_beside
    from ldam_studio.commands.shared.flags import add_network, add_out, add_preset

    parser.add_argument("picture", nargs="?", type=Path, help="an exported picture to open")
    parser.add_argument(
        "--fresh", action="store_true", help="start a new session instead of the last one"
    )
    add_window(parser)
    add_out(parser, "out", "where a run without a display writes")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="how long a run without a display lasts"
    )
    add_preset(parser)
    add_network(parser, default=None)
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
        When flags contradict each other, what they name cannot be opened, or Qt cannot be loaded.
    """
    if args.network is None:
        values = {name: getattr(args, name) for name in ABOUT_NETWORK}
        given = [name for name, value in values.items() if value is not None and value is not False]
        if given:
            flag = given[0].replace("_", "-")
            raise StudioError(f"--{flag} says something about --network; give that too.")
    elif args.picture is not None:
        raise StudioError("A picture names its own network; give either it or --network.")
    return open_studio(start_of(args))


def start_of(args: argparse.Namespace) -> Start:
    """Return what the flags ask the studio to start with.

    Raises
    ------
    StudioError
        If the device is not there, or a preset or network that was named cannot be opened.
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
        file=args.picture,
        out=args.out,
        seconds=args.seconds,
    )


def named_or_unknown(
    args: argparse.Namespace, device: Device
) -> tuple[Named | None, NetworkRequest | None]:
    """Open the network that ``--network`` names.

    Where nothing tells what images it takes and there is a window to ask in, what was asked for is
    returned second, and nothing is opened. What it is compared with could not be handed on to the
    dialog; then the error says which flags to give.

    Raises
    ------
    StudioError
        If it cannot be opened.
    """
    from ldam_studio.networks.pixels import UnknownInputError
    from ldam_studio.networks.sources.request import NetworkRequest

    try:
        return named_network(args, device), None
    except UnknownInputError:
        if no_display() or any((args.compare, args.compare_weights, args.compare_set)):
            raise
    return None, NetworkRequest(args.network, args.weights, args.labels, args.partial)


def named_network(args: argparse.Namespace, device: Device) -> Named | None:
    """Open the network that ``--network`` names, and what is compared with it; None without one.

    Raises
    ------
    StudioError
        If one of them cannot be opened.
    """
    if args.network is None:
        return None
    from ldam_studio.commands.shared.beside import beside_of
    from ldam_studio.commands.shared.flags import network_of
    from ldam_studio.networks.sources.request import NetworkRequest

    device.apply()
    network = network_of(args)
    request = NetworkRequest(
        args.network, args.weights, args.labels, args.partial, network.provenance.given_pixels
    )
    return Named(network, request, beside_of(args, network))
