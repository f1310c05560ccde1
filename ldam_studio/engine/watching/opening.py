"""Opening a network from the checkpoints that a training writes."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from ldam_studio.engine.watching.reader import has_diverged
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.checkpoint_folder import Folder

TRIED = 5
"""Newest checkpoints that are tried before giving up."""


def open_watched(
    name: str, place: Path, options: Options | None = None, weights: Path | None = None
) -> Network:
    """Open the network whose checkpoints at a place are to be watched.

    It gets the weights of the newest checkpoint that has not diverged, which also decide the number
    of classes. If there is none among the `TRIED` newest, it gets those of `weights`; if that is
    None, it is untrained.

    Raises
    ------
    StudioError
        If the place cannot be read, there is no such network, or none of the newest checkpoints
        belongs to it.
    """
    options = options or Options()
    failed: list[StudioError] = []
    # This includes files that are still being written, if they look complete.
    folder = Folder(place.absolute(), now=lambda: math.inf)
    for checkpoint in folder.look().checkpoints[: -TRIED - 1 : -1]:
        try:
            if not has_diverged(checkpoint):
                return open_network(name, checkpoint.path, options)
        except StudioError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return open_network(name, weights, replace(options, untrained=True))
