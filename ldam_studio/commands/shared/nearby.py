"""Flags for what the recipe of a picture names and may not be where it was."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.export.locate import Nearby
from ldam_studio.networks.sources.families import runs_code


def add_nearby(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--network",
        action="append",
        metavar="FILE.py:FUNCTION",
        help="your own code that defines the network, which is run; for two networks in different "
        "code, give it twice",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="the network's weights, if they have moved or the picture is not yours",
    )
    parser.add_argument(
        "--discriminator-weights",
        type=Path,
        metavar="FILE",
        help="the discriminator's weights, if they have moved",
    )
    parser.add_argument(
        "--compare-weights",
        type=Path,
        metavar="FILE",
        help="the second network's weights in a comparison, if they have moved",
    )
    parser.add_argument(
        "--allow-code",
        action="store_true",
        help="run whatever code the recipe names as FILE.py:FUNCTION, if the network is defined "
        "by code; only for pictures that you trust",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the real images from which the discriminator learned, if they have moved or the "
        "picture is not yours",
    )
    parser.add_argument(
        "--photograph",
        type=Path,
        action="append",
        metavar="FILE",
        help="a photograph that was brought into the session, if it is neither inside the recipe "
        "nor in the folder of the picture; may be given several times",
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="download the published weights of the networks that the recipe names, if they are "
        "missing",
    )


def nearby_of(args: argparse.Namespace, folder: Path) -> Nearby:
    """Return what opens the networks of a picture in this folder; `StudioError` as `_code`."""
    given = (args.weights, args.discriminator_weights, args.compare_weights)
    return Nearby(
        folder,
        [path for path in given if path is not None],
        _code(args.network or ()),
        data=args.data,
        allow_code=args.allow_code,
        allow_download=args.download,
        pictures=args.photograph or (),
    )


def _code(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of own code; `StudioError` for the name of another network."""
    for name in names:
        if not runs_code(name) or ":" not in name:
            raise StudioError(
                f"--network takes your own code, as FILE.py:FUNCTION, not {name!r}; a picture "
                "names every other network itself."
            )
    return tuple(names)
