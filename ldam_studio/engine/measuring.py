"""Measuring a network's photo statistics for a session that runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ldam_studio.engine.photo_statistics import Measured
from ldam_studio.networks.network import Network
from ldam_studio.networks.statistics.compared import NO_FILE
from ldam_studio.networks.statistics.finding import keep
from ldam_studio.networks.statistics.statistics import of_file
from ldam_studio.training.statistics import measure_photos


def measure_for(network: Network, place: Path, on_batch: Callable[[int, int], None]) -> Measured:
    """Measure a network's statistics on photographs, and keep them for later sessions.

    They are not measured again if they are known for the same weights and photographs.

    Parameters
    ----------
    place
        A folder or a zip.
    on_batch
        Called with the work that is done and all of it; an exception in it ends the measurement.

    Raises
    ------
    StudioError
        If the photographs are missing or damaged, the network cannot be compared, or the file
        cannot be written.
    """
    found = of_file(keep(measure_photos(network, place, on_batch=on_batch, again=False)))
    before = network.named_statistics.get("statistics", NO_FILE)
    return Measured(network.sha256, found, before)
