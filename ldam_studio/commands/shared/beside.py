"""Flags for a comparison side by side: another network, other weights, or other settings."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import Any

from ldam_studio.engine.beside import Beside
from ldam_studio.engine.comparison import check_alike
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.choice import WeightsChoice
from ldam_studio.networks.weights.suffixes import is_weights
from ldam_studio.sampler.settings import is_of_chains, parse


def add_beside(parser: argparse.ArgumentParser) -> None:
    """Add ``--compare``, ``--compare-weights`` and ``--compare-set``."""
    group = parser.add_argument_group("side by side")
    group.add_argument(
        "--compare",
        metavar="SOURCE",
        help="show another network beside the first: a name as for --network, or a file of other "
        "weights for the same network. Both have the same neurons, seed, noise and steps",
    )
    group.add_argument(
        "--compare-weights",
        type=WeightsChoice.parse,
        metavar="FILE[::KEY]",
        help="the weights of the other network, as for --weights",
    )
    group.add_argument(
        "--compare-set",
        action="append",
        metavar="NAME=VALUE",
        help="a setting of the second network only, for example temperature=0.1; without "
        "--compare, the same network is shown beside itself. May be given several times",
    )


def beside_of(args: argparse.Namespace, network: Network) -> Beside | None:
    """Return the comparison that the flags describe; None if there is none.

    Raises
    ------
    StudioError
        If the network cannot be opened or takes other images, or a setting or value is wrong.
    """
    values = dict(_setting(text) for text in args.compare_set or ())
    if args.compare is None:
        if args.compare_weights is not None:
            raise StudioError("--compare-weights needs --compare, which names the network.")
        return Beside(network, values) if values else None
    second = _open(args, network)
    check_alike(network, second)
    return Beside(second, values)


def _open(args: argparse.Namespace, network: Network) -> Network:
    # Imported here, so that the window, which also uses these flags, starts without loading rich.
    from ldam_studio.commands.shared.progress import download

    name, weights = args.compare, args.compare_weights or WeightsChoice()
    options = Options()
    named = WeightsChoice.parse(name)
    if named.file is None or is_weights(named.file) or os.path.isfile(named.file):
        if weights != WeightsChoice():
            raise StudioError(
                f"{name} is a weights file itself; give --compare the name of a network, or leave "
                "out --compare-weights."
            )
        name, weights = network.name, named
    if name == network.name:
        options = Options(
            network.provenance.given_pixels,
            network.provenance.given_labels,
            network.provenance.partial,
            class_layer=network.provenance.given_class_layer,
            steady=network.behaviour.steady,
        )
    with download(name) as on_bytes:
        opened = replace(
            options, on_bytes=on_bytes, weights_key=weights.key, random_seed=weights.seed
        )
        return open_network(name, weights.file, opened)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    if not equals or not is_of_chains(name):
        raise StudioError(
            f"--compare-set takes NAME=VALUE with the name of a setting, for example "
            f"temperature=0.1, not {text!r}; ldam-studio info --settings lists all settings."
        )
    return name, parse(name, value.strip())
