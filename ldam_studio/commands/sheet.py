"""``ldam-studio sheet``: a picture of every neuron of a layer, as one page and as a folder."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.commands.shared.settings_flags import add_settings
from ldam_studio.commands.shared.sheets import add_length, fitted_settings, numbers_in
from ldam_studio.commands.shared.statistics import compared
from ldam_studio.commands.shared.telling import Telling
from ldam_studio.engine.picture import DISPLAYS
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.folder import INDEX, SheetFolder
from ldam_studio.explore.sheets.making import Made, make, write_page
from ldam_studio.explore.sheets.ordering import ORDERS
from ldam_studio.explore.sheets.spec import SheetSpec, neurons_in
from ldam_studio.files import check_target
from ldam_studio.networks.discriminators import discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import Stopped
from ldam_studio.scripting.interrupt import interruptible
from ldam_studio.scripting.neurons import neurons_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument(
        "--layer", metavar="LAYER", help="the layer; default: that of --neurons, or of the classes"
    )
    parser.add_argument(
        "--neurons",
        action="append",
        metavar="N-M",
        help="only these neurons: numbers and ranges with commas (0-9,17), addresses (fc3:4) or "
        "names of classes. May be given several times",
    )
    add_length(parser)
    flags.add_seed(parser)
    parser.add_argument("--discriminator-weights", type=Path, metavar="FILE")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="with --photo-statistics, a folder or zip of photographs on which the network is "
        "measured once, if nothing is known of its weights",
    )
    add_settings(parser)
    flags.add_device(parser, reproducible=True)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        type=Path,
        default=Path("out/sheet.png"),
        metavar="FILE",
        help="the page, with its recipe; default out/sheet.png",
    )
    group.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="folder for a picture of each neuron with its recipe, and index.json. A sheet that "
        "was stopped goes on there. Default: the name of the page without its suffix",
    )
    group.add_argument("--sort", choices=tuple(ORDERS), default="index", help="order on the page")
    group.add_argument("--display", default="image", metavar="|".join(DISPLAYS))
    group.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Draw what is missing of the sheet and write its page; return the exit code, 130 after Ctrl-C.

    Raises
    ------
    StudioError
        If something that the flags name does not exist or is out of range, a chain exploded, the
        folder has another sheet, or a file cannot be written.
    """
    if args.out.suffix.lower() != ".png":
        raise StudioError(f"The page is a PNG picture, but --out {args.out} is not named so.")
    spec = spec_of(args)
    check_target(args.out)
    folder = SheetFolder(spec, args.folder or args.out.with_suffix(""))
    began, made = time.monotonic(), list[Made]()
    with interruptible() as wish, progress() as bar:
        telling = Telling(bar, wish)
        try:
            with telling.listener.heard_on():
                for one in make(spec, folder):
                    made.append(one)
        except Stopped:
            bar.stop()
            print(
                f"stopped after {len(made)} of {len(spec.neurons)} neurons; the same command goes "
                "on later",
                file=sys.stderr,
            )
            return INTERRUPTED
    seconds = time.monotonic() - began
    made.sort(key=lambda one: one.number)
    write_page(spec, made, args.sort, args.out)
    report = _report(spec, made, seconds, args.out, folder.folder)
    print(json.dumps(report) if args.json else _in_words(report))
    return 0


def spec_of(args: argparse.Namespace) -> SheetSpec:
    """Return the sheet that the flags describe.

    Raises
    ------
    StudioError
        If there is no such preset, network, layer, neuron, device or file.
    """
    network = flags.network_of(args)
    for note in network.provenance.notes:
        print(f"ldam-studio: {network.name}: {note}", file=sys.stderr)
    neurons = chosen(network, args.layer, args.neurons)
    settings = fitted_settings(args, network, neurons)
    discriminator = None
    if settings.discriminator_weight != 0:
        discriminator = discriminator_of(
            network, args.discriminator_weights, "set --discriminator-weight to 0"
        )
    return SheetSpec(
        network=compared(network, settings, args.data),
        neurons=neurons,
        settings=settings,
        device=flags.device_of(args),
        chains=args.chains,
        steps=args.steps,
        seed=args.seed,
        discriminator=discriminator,
        display=args.display,
    )


def chosen(network: Network, layer: str | None, texts: Sequence[str] | None) -> tuple[Neuron, ...]:
    """Return the neurons that ``--layer`` and ``--neurons`` name, each once.

    Raises
    ------
    StudioError
        If there is no such layer or neuron, or the neurons are in several layers.
    """
    within = network.class_layer.name if layer is None else network.layer(layer).name
    found: list[Neuron] = []
    for text in texts or ():
        numbers = numbers_in(text)
        if numbers is None:
            found += neurons_of([text], network)
        else:
            found += neurons_in(network, within, numbers)
    if not texts:
        found += neurons_in(network, within)
    others = {neuron.layer for neuron in found} - ({within} if layer is not None else set())
    if len(others) > (0 if layer is not None else 1):
        raise StudioError(
            f"A contact sheet shows neurons of one layer, not of {', '.join(sorted(others))}"
            f"{'' if layer is None else f' beside {within}'}; make one sheet for each."
        )
    return tuple(dict.fromkeys(found))


def _report(
    spec: SheetSpec, made: Sequence[Made], seconds: float, page: Path, folder: Path
) -> dict[str, Any]:
    return {
        "network": spec.network.name,
        "layer": spec.layer,
        "neurons": [msgspec.to_builtins(one.row) for one in made],
        "converged": sum(one.row.converged for one in made),
        "seconds": round(seconds, 2),
        "paths": {"page": str(page), "folder": str(folder), "index": str(folder / INDEX)},
    }


def _in_words(report: dict[str, Any]) -> str:
    neurons, paths = report["neurons"], report["paths"]
    silent = [row["neuron"] for row in neurons if row["silent"]]
    lines = [
        f"{report['network']}, {report['layer']}: {len(neurons)} neurons in "
        f"{report['seconds']:.0f} s, {report['converged']} of them converged"
    ]
    if silent:
        named = ", ".join(silent[:3]) + (f" and {len(silent) - 3} others" if silent[3:] else "")
        lines.append(f"no gradient, so that the picture is noise: {named}")
    return "\n".join([*lines, f"page: {paths['page']}", f"folder: {paths['folder']}"])
