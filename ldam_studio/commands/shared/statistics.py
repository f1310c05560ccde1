"""Measuring photo statistics with a progress bar."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.photo_statistics import is_wanted
from ldam_studio.networks.network import Network
from ldam_studio.networks.statistics.finding import keep
from ldam_studio.networks.statistics.statistics import PhotoStatistics, of_file
from ldam_studio.sampler.presets import is_photograph
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.statistics import COUNT, measure_photos


def measured(network: Network, data: Path, count: int, seed: int) -> PhotoStatistics:
    """Measure statistics with a progress bar; raises as `measure_photos` does."""
    with Steps("photographs") as steps:
        last = 0

        def on_batch(done: int, total: int) -> None:
            nonlocal last
            if not done:
                steps.start(total)
            for _ in range(done - last):
                steps()
            last = done

        return measure_photos(network, data, count, seed, on_batch)


def compared(network: Network, settings: Settings, data: Path | None) -> Network:
    """Return the network with statistics, if they are wanted and photographs are given.

    They are measured unless there are some, and kept for later sessions. Raises as `measure_photos`
    does.
    """
    if data is None or not is_wanted(settings) or not is_photograph(network.pixels.shape):
        return network
    found = network.photo_statistics
    if found is not None and found.sha256:
        return network
    return network.comparing(of_file(keep(measured(network, data, COUNT, 0))))
