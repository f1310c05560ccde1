"""The open window while the sampler saturates its thread: speed, frames, heartbeat, delay."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from bare import BareLoop
from PyQt6.QtCore import QEventLoop, Qt, QTimer
from row import Row

from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.settings.feature import SettingsPanel
from ldam_studio.gui.window.window import StudioWindow

ROUNDS, SECONDS = 5, 3.0
BEAT_MS = 20
POLL_MS = 5
DRAGS = 60


def measure() -> list[Row]:
    """Open the studio, let it run in turns with the bare loop, then drag a slider."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    bare = BareLoop(start(device).make())
    window = StudioWindow(device)
    window.open(start(device))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 20)
    lateness: list[float] = []
    ratios, shown = [], []
    for _ in range(ROUNDS):
        steps, frames = observe(window, lateness, SECONDS)
        window.controller.pause()
        process_until(lambda: window.model.run_state.value == "paused")
        ratios.append(steps / bare.rate(SECONDS))
        shown.append(frames)
        window.controller.play()
        process_until(lambda: window.model.run_state.value == "running")
    delays = _drag(window)
    window.close()
    app.processEvents()
    return [
        Row("steps/s, window open / bare torch loop", median(ratios), ">= 0.8"),
        Row("frames/s shown, sampler saturated", median(shown), ">= 25"),
        Row("heartbeat lateness, 99th percentile, ms", float(np.percentile(lateness, 99)), "<= 50"),
        Row("slider to frame, median, ms", 1000 * median(delays), "<= 100"),
    ]


def observe(window: StudioWindow, lateness: list[float], seconds: float) -> tuple[float, float]:
    """Run the window for a while; return steps and frames per second, note late heartbeats (ms)."""
    beat = QTimer()
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    due = [time.perf_counter() + BEAT_MS / 1000]

    def tick() -> None:
        now = time.perf_counter()
        lateness.append(1000 * max(0.0, now - due[0]))
        due[0] = now + BEAT_MS / 1000

    beat.timeout.connect(tick)
    beat.start(BEAT_MS)
    runner = window.controller.runner
    steps, frames, started = runner.status.step, window.frames.count, time.perf_counter()
    process_until(lambda: time.perf_counter() - started >= seconds, 2 * seconds)
    beat.stop()
    elapsed = time.perf_counter() - started
    return (runner.status.step - steps) / elapsed, (window.frames.count - frames) / elapsed


def _drag(window: StudioWindow) -> list[float]:
    """Move the temperature slider about and wait each time for a frame that has it."""
    slider = window.feature(SettingsPanel).controls.rows["temperature"].slider
    positions = np.linspace(slider.minimum() + 1, slider.maximum(), DRAGS).astype(int)
    delays = []
    for position in positions:
        before = window.last_frame.lanes[0].temperature
        started = time.perf_counter()
        slider.setValue(int(position))
        process_until(lambda before=before: window.last_frame.lanes[0].temperature != before)
        delays.append(time.perf_counter() - started)
    return delays


def process_until(condition: Callable[[], bool], patience: float = 30.0) -> None:
    """Let Qt's own loop run until then, as it does in the program; look every few milliseconds."""
    if condition():
        return
    loop, poll = QEventLoop(), QTimer()
    deadline = time.perf_counter() + patience
    poll.timeout.connect(
        lambda: loop.quit() if condition() or time.perf_counter() > deadline else None
    )
    poll.start(POLL_MS)
    loop.exec()
    poll.stop()
    if not condition():
        raise RuntimeError("the window did not get there")
