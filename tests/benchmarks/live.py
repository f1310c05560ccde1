"""A slider that is moved on a slow network: ten chains of SqueezeNet on photographs."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from row import Row
from window import process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.model import IMAGE, Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.settings.feature import SettingsPanel
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.settings import Settings

CHAINS, MOVES, PAUSE_S = 10, 40, 0.15


WEIGHTS = Path(os.environ.get("LDAM_DATA", "data"), "weights/squeezenet1_0_imagenet.safetensors")


def measure() -> list[Row]:
    """Move a slider again and again, and wait each time for a picture with its value."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    # Random weights, where the trained ones are missing, take as long.
    weights = WEIGHTS if WEIGHTS.is_file() else None
    options = Options(random_seed=None if weights else 0)
    network = open_network("torchvision:squeezenet1_0", weights, options)
    values = PRESETS["paper"].values(network.pixels.shape, discriminator=False)
    spec = SessionSpec(
        network, network.default_neurons(CHAINS), Settings.of(**values), device=device
    )
    window = StudioWindow(device)
    window.open(Opening("Live", partial(open_session, spec), Display(IMAGE)))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 3)
    started, first = time.perf_counter(), window.last_frame.step
    process_until(lambda: time.perf_counter() - started > 10, 20)
    step_s = (time.perf_counter() - started) / max(1, window.last_frame.step - first)
    delays = _move(window)
    window.controller.pause()
    process_until(lambda: window.model.run_state.value == "paused")
    window.close()
    app.processEvents()
    middle, late = 1000 * np.percentile(delays, (50, 90))
    return [
        Row("a step of ten chains, ms", 1000 * step_s),
        Row("slider to picture, ten chains, median, ms", float(middle), "<= 100"),
        Row("slider to picture, ten chains, 90th percentile, ms", float(late)),
    ]


def _move(window: StudioWindow) -> list[float]:
    """Move the temperature slider about, and wait each time for a frame that has it."""
    slider = window.feature(SettingsPanel).controls.rows["temperature"].slider
    positions = np.linspace(slider.minimum() + 1, slider.maximum() // 2, MOVES).astype(int)
    delays = []
    for position in positions:
        before = window.last_frame.lanes[0].temperature
        started = time.perf_counter()
        slider.setValue(int(position))
        process_until(lambda before=before: window.last_frame.lanes[0].temperature != before)
        delays.append(time.perf_counter() - started)
        pause = time.perf_counter() + PAUSE_S
        process_until(lambda pause=pause: time.perf_counter() > pause)
    return delays
