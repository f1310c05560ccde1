"""``ldam-studio index``: how real images excite a network's neurons, for the window to show."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import EVERY_S, INTERRUPTED, in_words, progress
from ldam_studio.errors import StudioError, plain
from ldam_studio.explore.real_images.data_sets import DATA_SETS
from ldam_studio.explore.real_images.folders import MOST_LISTED
from ldam_studio.explore.real_images.index import Index, open_index
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.nearest import layers_for
from ldam_studio.explore.real_images.sources import spec_of, words_of
from ldam_studio.explore.real_images.standing import number, report_words
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import Listener, Stage, StageWords
from ldam_studio.scripting.neurons import neurons_of

ALL, CLASSES = "all", "classes"
SHOWN = 5
"""Images that are printed for each neuron."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument(
        "--images",
        required=True,
        metavar="FOLDER",
        help=f"folder or zip of pictures, or one of {', '.join(DATA_SETS)}",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the data set that --images names"
    )
    parser.add_argument(
        "--layers",
        nargs="+",
        default=[CLASSES],
        metavar="LAYER",
        help=f"the layers whose neurons the window can look up, or {ALL}; default {CLASSES}: that "
        "of the classes",
    )
    parser.add_argument(
        "--limit",
        type=flags.whole_number("--limit", 1, MOST_LISTED),
        metavar="N",
        help="largest number of images, evenly spaced among all; default: all",
    )
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:INDEX",
        help="print the images that excite this neuron most; may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    """Measure, keep the result in the cache, print the report; return the exit code.

    Raises
    ------
    StudioError
        If the network cannot be opened, lacks a layer or neuron, or takes no such images, or there
        are none.
    """
    spec = spec_of(args.images, args.data)
    network = flags.network_of(args)
    neurons = neurons_of(args.neuron, network)
    layers = _layers(network, args.layers, neurons)
    limit = args.limit or 0
    began = time.monotonic()
    try:
        with _told():
            build(network, spec, layers, limit)
    except KeyboardInterrupt:
        print("stopped; what was measured is kept, and the same command goes on from there")
        return INTERRUPTED
    index = open_index(network, spec, limit)
    if index is None:
        raise StudioError("The index was removed while it was made; run the command again.")
    seconds = in_words(time.monotonic() - began)
    what = "1 layer" if len(layers) == 1 else f"{len(layers)} layers"
    print(
        f"{index.count(layers[0]):,} images of {plain(words_of(spec))}, {what} of {network.name}, "
        f"{seconds}"
    )
    said = report_words(index.report, len(index.catalogue.names))
    if said:
        print(said)
    for neuron in neurons:
        _print_best(network, index, neuron)
    return 0


def _layers(network: Network, named: Sequence[str], neurons: Sequence[Neuron]) -> tuple[str, ...]:
    if ALL in named:
        return tuple(layer.name for layer in network.layers)
    chosen = [network.class_layer.name if name == CLASSES else name for name in named]
    chosen += [neuron.layer for neuron in neurons]
    return tuple(dict.fromkeys(each for name in chosen for each in layers_for(network, name)))


def _print_best(network: Network, index: Index, neuron: Neuron) -> None:
    best = index.top(index.responses(neuron), SHOWN)
    label = network.label(neuron)
    print(f"{neuron}" if label == str(neuron) else f"{neuron} ({label})")
    for example in best:
        place = example.place
        where = "" if place is None else f" at {','.join(map(str, place))}"
        print(f"  {number(example.value):>8}  {plain(example.name)}{where}")


@contextmanager
def _told() -> Iterator[None]:
    """Show how far the work is: a bar in a terminal, otherwise lines."""
    words, said = StageWords(), time.monotonic()
    with progress() as bar:
        task = bar.add_task("looking for pictures", total=None)

        def hear(stage: Stage) -> None:
            nonlocal said
            text, now = words.of(stage), time.monotonic()
            if not bar.disable:
                total = stage.total or None
                bar.update(task, description=stage.doing, completed=stage.done, total=total)
            elif now - said >= EVERY_S:
                said = now
                print(text, file=sys.stderr, flush=True)

        with Listener(hear).heard_on():
            yield
