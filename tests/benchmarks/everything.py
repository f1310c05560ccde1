"""Everything of the menu Explore open at once over LeNet: what memory grows, and late heartbeats.

The tabs below the images take turns, and so do images and wall, as a person would change them; the
chains melt now and then, so that the gallery of modes and the record of the chains fill.
"""

from __future__ import annotations

import itertools
import time

import numpy as np
import psutil
import torch
from PyQt6.QtCore import QEventLoop, Qt, QTimer
from row import Row
from window import process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.window.window import StudioWindow

STEPS = 100_000
WARM_UP = 10_000
BEAT_MS = 20
TURN_MS = 2_000
MELT_EVERY = 5  # turns
OPENED = ("modes", "real-images", "agreement", "show_verdict")


def measure() -> list[Row]:
    """Open everything, wait until it has been seen once, then take many steps."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    window = StudioWindow(device)
    window.open(start(device))
    window.show()
    process_until(lambda: all(name in window.places.actions() for name in OPENED))
    actions = window.places.actions()
    for name in OPENED:
        actions[name].trigger()
    actions["agreement_always"].setChecked(True)
    _run_to(window, WARM_UP, [])
    lateness: list[float] = []
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    _run_to(window, WARM_UP + STEPS, lateness)
    growth = psutil.Process().memory_info().rss - before
    minutes = (time.monotonic() - began) / 60
    window.close()
    app.processEvents()
    late = float(np.percentile(lateness, 99))
    return [
        Row("everything open: memory growth over 100,000 LeNet steps, MB", growth / 1e6, "<= 30"),
        Row("everything open: heartbeat lateness, 99th percentile, ms", late, "<= 50"),
        Row("everything open: minutes for these steps", minutes),
    ]


def _run_to(window: StudioWindow, step: int, lateness: list[float]) -> None:
    """Let Qt's own loop run until this step, and note how late heartbeats are (ms)."""
    loop, beat, turn = QEventLoop(), QTimer(), QTimer()
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    due = [time.perf_counter() + BEAT_MS / 1000]
    turns = itertools.count(1)

    def tick() -> None:
        now = time.perf_counter()
        lateness.append(1000 * max(0.0, now - due[0]))
        due[0] = now + BEAT_MS / 1000
        last = window.last_frame
        if last is not None and last.step >= step:
            loop.quit()

    def change() -> None:
        number, tabs = next(turns), window.panels.tabs
        tabs.setCurrentIndex(number % tabs.count())
        window.places.actions()["wall"].trigger()
        if number % MELT_EVERY == 0:
            window.controller.melt()

    beat.timeout.connect(tick)
    turn.timeout.connect(change)
    beat.start(BEAT_MS)
    turn.start(TURN_MS)
    loop.exec()
    beat.stop()
    turn.stop()
