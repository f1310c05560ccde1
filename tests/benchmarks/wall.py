"""A hundred chains of LeNet on the wall while the sampler saturates its thread; then a thousand."""

from __future__ import annotations

import time
from functools import partial
from statistics import median

import numpy as np
import torch
from row import Row
from window import observe, process_until

from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.model import IMAGE, Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.wall.feature import ChainWall
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.settings import Settings

CHAINS, MANY = 100, 1000
ROUNDS, SECONDS = 5, 3.0
PAINTS = 30


def measure() -> list[Row]:
    """Show the wall of a running session; measure steps, frames, the heartbeat, and a paint."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    window, lateness = _opened(device, CHAINS), list[float]()
    rates = [observe(window, lateness, SECONDS) for _ in range(ROUNDS)]
    paint = _paint_ms(window)
    _close(window)
    window, late = _opened(device, MANY), list[float]()
    observe(window, late, SECONDS)
    many = _paint_ms(window)
    _close(window)
    app.processEvents()
    steps, frames = (median(each) for each in zip(*rates, strict=True))
    return [
        Row(f"wall of {CHAINS} chains, steps/s", steps, ">= 10"),
        Row(f"wall of {CHAINS} chains, frames/s", frames, ">= 25"),
        Row(f"wall of {CHAINS} chains, heartbeat p99, ms", _p99(lateness), "<= 50"),
        Row(f"wall of {CHAINS} chains, one paint, ms", paint),
        Row(f"wall of {MANY:,} chains, heartbeat p99, ms", _p99(late), "<= 50"),
        Row(f"wall of {MANY:,} chains, one paint, ms", many, "<= 50"),
    ]


def _opened(device: Device, chains: int) -> StudioWindow:
    """Return a window of 1366 x 768 whose wall shows so many chains of LeNet's ten classes."""
    network = open_network("lenet")
    values = PRESETS["paper"].values(network.pixels.shape, discriminator=False)
    neurons = network.default_neurons(chains)
    spec = SessionSpec(network, neurons, Settings.of(**values), device=device)
    window = StudioWindow(device)
    window.resize(1366, 768)
    window.open(Opening("Wall", partial(open_session, spec), Display(IMAGE)))
    window.show()
    process_until(lambda: window.has_all_features and window.last_frame is not None)
    window.feature(ChainWall).action.setChecked(True)
    process_until(lambda: window.last_frame.step > 10)
    return window


def _paint_ms(window: StudioWindow) -> float:
    """Return the median time of painting the whole wall."""
    window.controller.pause()
    process_until(lambda: window.model.run_state.value == "paused")
    viewport, spent = window.feature(ChainWall).wall.viewport(), []
    for _ in range(PAINTS):
        started = time.perf_counter()
        viewport.repaint()
        spent.append(time.perf_counter() - started)
    return 1000 * median(spent)


def _close(window: StudioWindow) -> None:
    window.controller.pause()
    process_until(lambda: window.model.run_state.value == "paused")
    window.close()


def _p99(lateness: list[float]) -> float:
    return float(np.percentile(lateness, 99))
