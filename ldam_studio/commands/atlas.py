"""``ldam-studio atlas``: a picture of every neuron of many layers, drawn by Dask's workers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.cluster import (
    check_installed,
    check_workers,
    cores,
    dashboard,
    local_cluster,
    scheduler_at,
)
from ldam_studio.atlas.folder import CODE, INDEX, NETWORK, AtlasFolder
from ldam_studio.atlas.making import Looked, jobs_of, look, make
from ldam_studio.atlas.orders import NetworkOrder, Order
from ldam_studio.atlas.pictures import AtlasRow
from ldam_studio.commands.atlas_page import written_page
from ldam_studio.commands.shared import background, flags
from ldam_studio.commands.shared.layers import chosen
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.commands.shared.settings_flags import add_settings, settings_of
from ldam_studio.commands.shared.sheets import (
    add_length,
    fitted_settings,
    preset_of,
)
from ldam_studio.commands.shared.telling import Telling
from ldam_studio.engine.picture import DISPLAYS
from ldam_studio.errors import StudioError
from ldam_studio.export.places import written_name
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import Stopped, tell
from ldam_studio.scripting.interrupt import interruptible

if TYPE_CHECKING:
    from distributed import Client

MOST_WORKERS = 1024
NAMED = 3
"""Damaged files and neurons that cannot be drawn which are named."""
FAILED = 1
"""Exit code if some neurons cannot be drawn."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument(
        "--layers",
        nargs="+",
        action="extend",
        metavar="PATTERN",
        help="the layers, by name or pattern: 'layer3.*', '*' for all. Default: that of the "
        "classes, or those of --neurons",
    )
    parser.add_argument(
        "--neurons",
        action="append",
        metavar="N-M",
        help="only these neurons: numbers and ranges with commas (0-9,17), of each layer that has "
        "them; addresses (fc3:4) or names of classes. May be given several times",
    )
    add_length(parser)
    flags.add_seed(parser)
    add_settings(parser)
    flags.add_device(parser, reproducible=True)
    group = parser.add_argument_group("workers")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--workers",
        type=flags.whole_number("--workers", 1, MOST_WORKERS),
        metavar="N",
        help="processes on this computer; default: as many as it has cores",
    )
    which.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs: tcp://HOST:8786"
    )
    group.add_argument(
        "--collect",
        action="store_true",
        help="let the pictures travel back and write them here, if the workers do not share --out",
    )
    group.add_argument(
        "--ship-code",
        action="store_true",
        help="send the file of your own code to the workers, which run it",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        type=Path,
        default=Path("out/atlas"),
        metavar="DIR",
        help="folder for a picture of each neuron with its recipe. An atlas that was stopped goes "
        "on there; further layers may be added. Default out/atlas",
    )
    group.add_argument("--display", default="image", metavar="|".join(DISPLAYS))
    group.add_argument("--json", action="store_true", help="print one object on standard output")
    group = parser.add_argument_group("for programs that start it")
    group.add_argument(
        "--background",
        action="store_true",
        help="take a low priority, say progress as lines of JSON on standard output, and stop when "
        "standard input is closed",
    )
    group.add_argument(
        "--weights-sha256", metavar="HASH", help="draw nothing if the weights have another SHA-256"
    )


def run(args: argparse.Namespace) -> int:
    """Draw what is missing of the atlas, then write its page; return the exit code.

    It is 130 after Ctrl-C, and 1 if some neurons cannot be drawn.

    Raises
    ------
    StudioError
        If something that the flags name does not exist or is out of range, a worker does not fit,
        the folder has another atlas, or a file cannot be written.
    """
    check_installed()
    if args.background:
        background.stay_behind()
    network = flags.network_of(args)
    _check_weights(args, network)
    for note in network.provenance.notes:
        print(f"ldam-studio: {network.name}: {note}", file=sys.stderr)
    layers = chosen(network, args.layers, args.neurons)
    opening = NetworkOrder.of(network, ship_code=args.ship_code)
    jobs = list[Job]()
    for neurons in layers:
        jobs += jobs_of(network, order_of(args, network, opening, neurons), neurons)
    folder = AtlasFolder(args.out, described(args, network, opening))
    began = time.monotonic()
    with interruptible() as wish, progress() as bar:
        lines = background.Lines().tell if args.background else None
        telling = Telling(bar, wish, rate=True, lines=lines)
        looked, before = Looked(jobs=jobs), list[AtlasRow]()
        drawn, failed, stopped = 0, list[str](), False
        try:
            with telling.listener.heard_on():
                looked = look(folder, jobs)
                before = list(looked.rows)
                _say(looked, len(jobs))
                folder.begin([neurons[0].layer for neurons in layers])
                if looked.jobs:
                    with _cluster(args, len(looked.jobs)) as client, _said_at_once(bar):
                        _greet(client, opening)
                        for batch in make(client, folder, looked.jobs, collect=args.collect):
                            folder.check_same()
                            looked.rows += [*batch.rows, *batch.found]
                            drawn += len(batch.rows)
                            failed += batch.failed
        except Stopped:
            bar.stop()
            # Batches that were under way have drawn some of theirs, which nobody has told.
            there = len(before) + len(look(folder, looked.jobs).rows)
            print(
                f"stopped after {there} of {len(jobs)} neurons; the same command goes on later",
                file=sys.stderr,
            )
            stopped = True
        except (StudioError, KeyboardInterrupt):
            bar.stop()
            if looked.rows and not args.background:
                print(
                    f"{len(looked.rows)} of {len(jobs)} neurons are drawn; ldam-studio atlas-page "
                    f"{args.out} writes a page of them",
                    file=sys.stderr,
                )
            raise
    if stopped and args.background:
        return INTERRUPTED  # at once: the program that started it waits
    # Also after Ctrl-C, for what is there; another Ctrl-C stops that, too.
    page = written_page(folder.folder) if (folder.folder / INDEX).is_file() else None
    if stopped or page is None:
        if page is None:
            print(f"ldam-studio atlas-page {args.out} writes the page later", file=sys.stderr)
        return INTERRUPTED
    report = {
        "network": network.name,
        "layers": {neurons[0].layer: len(neurons) for neurons in layers},
        "neurons": len(jobs),
        "drawn": drawn,
        "converged": sum(row.converged for row in looked.rows),
        "silent": sum(row.silent for row in looked.rows),
        "damaged": looked.damaged,
        "failed": failed,
        "seconds": round(time.monotonic() - began, 2),
        "folder": str(args.out),
        "page": str(args.out / page.path.name),
    }
    print(json.dumps(report) if args.json else _in_words(report))
    return FAILED if failed else 0


def _check_weights(args: argparse.Namespace, network: Network) -> None:
    if args.weights_sha256 not in (None, network.provenance.sha256):
        raise StudioError(
            f"The weights of {network.name} have changed meanwhile (their SHA-256 is another one); "
            "open them again."
        )


def order_of(
    args: argparse.Namespace,
    network: Network,
    opening: NetworkOrder,
    neurons: tuple[Neuron, ...],
) -> Order:
    """Return how neurons of one layer are drawn.

    Raises
    ------
    StudioError
        If there is no such preset or device, or a value is out of range.
    """
    return Order(
        opening,
        fitted_settings(args, network, neurons),
        flags.device_of(args),
        args.chains,
        args.steps,
        args.seed,
        args.display,
    )


def described(args: argparse.Namespace, network: Network, opening: NetworkOrder) -> dict[str, Any]:
    """Return what all neurons of an atlas have in common, by which its folder knows it.

    Settings are those before they are suited to a layer. The file of own code is written as in
    recipes, so that it may move with the folder and names no person.
    """
    settings = settings_of(args, preset_of(args), network.pixels, discriminator=False)
    code = {} if opening.own_code is None else {CODE: opening.own_code}
    return {
        NETWORK: written_name(network.name, args.out),
        **code,
        "weights' SHA-256": network.provenance.sha256,
        "settings": asdict(settings),
        "chains": args.chains,
        "steps": args.steps,
        "seed": args.seed,
        "display": args.display,
    }


def _cluster(args: argparse.Namespace, count: int) -> AbstractContextManager[Client]:
    if args.scheduler is not None:
        tell("looking for workers")
        return scheduler_at(args.scheduler)
    workers = min(args.workers or cores(), count)
    tell(f"starting {workers} process{'' if workers == 1 else 'es'}")
    return local_cluster(workers)


@contextmanager
def _said_at_once(bar: Any) -> Iterator[None]:
    """Say that Ctrl-C was heard: processes take some seconds to end."""
    try:
        yield
    except Stopped:
        bar.stop()
        print("stopping", file=sys.stderr, flush=True)
        raise


def _greet(client: Client, order: NetworkOrder) -> None:
    check_workers(client, order)
    address = dashboard(client)
    if address is not None:
        print(f"Dask's dashboard: {address}", file=sys.stderr)


def _say(looked: Looked, count: int) -> None:
    for sentence in looked.damaged[:NAMED]:
        # Without what a person would do.
        what = sentence.rpartition("; ")[0] or sentence.rstrip(".")
        print(f"ldam-studio: {what}; it is drawn again.", file=sys.stderr)
    if (more := len(looked.damaged) - NAMED) > 0:
        print(f"ldam-studio: {more} other files are damaged and drawn again.", file=sys.stderr)
    if looked.rows:
        print(f"{len(looked.rows)} of {count} neurons are drawn already", file=sys.stderr)


def _in_words(report: dict[str, Any]) -> str:
    layers, count = len(report["layers"]), report["neurons"]
    lines = [
        f"{report['network']}: {count:,} neuron{'s' * (count != 1)} of {layers} "
        f"layer{'s' * (layers != 1)}, {report['drawn']:,} of them drawn now, "
        f"in {report['seconds']:.0f} s; {report['converged']:,} converged"
    ]
    if report["silent"]:
        lines.append(f"no gradient, so that the picture is noise: {report['silent']:,} neurons")
    failed = report["failed"]
    if failed:
        lines.append(f"{len(failed):,} cannot be drawn: {'; '.join(failed[:NAMED])}")
    return "\n".join([*lines, f"folder: {report['folder']}", f"page: {report['page']}"])
