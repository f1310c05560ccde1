"""Watching LeNet while it learns in a process beside the window: frames, heartbeat, delays."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from row import Row
from safetensors.torch import load, save
from window import observe, process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.watching.news import Swap
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.weights.checkpoint_headers import KEY

SECONDS = 30.0
WRITTEN_IN_PLACE = 5
MANY = 2000
PATIENCE_S = 180.0  # for a training process to begin on a busy machine


def measure() -> list[Row]:
    """Train and watch, then write a checkpoint in place, then open a folder of very many."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    window = StudioWindow(device)
    window.open(start(device))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 20)
    try:
        return _measured(window)
    finally:
        window.close()
        app.processEvents()


def _measured(window: StudioWindow) -> list[Row]:
    window.feature(Watching).train()
    watch, training = window.feature(Watching).watch, window.feature(Watching).training
    process_until(lambda: training.trainer.status is not None, PATIENCE_S)
    process_until(lambda: training.trainer.status.step > 0 and watch.swap is not None, PATIENCE_S)
    process_until(lambda: _rounds(window) > 0, PATIENCE_S)
    delays = _Delays(window)
    lateness: list[float] = []
    learnt = training.trainer.status.step
    _, frames = observe(window, lateness, SECONDS)
    learnt = training.trainer.status.step - learnt
    renamed = list(delays.seconds)
    written = [_write_in_place(window, delays, number) for number in range(WRITTEN_IN_PLACE)]
    with TemporaryDirectory() as folder:
        opened = _open_many(window, Path(folder))
    late = float(np.percentile(lateness, 99))
    return [
        Row("frames/s while LeNet learns beside it", frames, ">= 15"),
        Row("heartbeat lateness meanwhile, 99th percentile, ms", late, "<= 80"),
        Row("steps/s of the training meanwhile", learnt / SECONDS),
        Row("checkpoints that came meanwhile", len(renamed)),
        Row("checkpoint renamed to shown, median, ms", 1000 * median(renamed), "<= 500"),
        Row("checkpoint renamed to shown, longest, ms", 1000 * max(renamed), "<= 500"),
        Row("checkpoint written in place to shown, longest, ms", 1000 * max(written), "<= 2000"),
        Row(f"{MANY:,} checkpoints on the timeline, ms", 1000 * opened, "<= 1000"),
    ]


def _rounds(window: StudioWindow) -> int:
    """Return how many rounds the session has: some once what learning needs is imported."""
    asked = window.controller.ask(lambda state: state.discriminator_rounds)
    return 0 if asked is None else int(asked.result())


class _Delays:
    """Notes for each checkpoint how long after its last change it was on the screen."""

    def __init__(self, window: StudioWindow) -> None:
        self._window = window
        self.seconds: list[float] = []
        self._due: list[tuple[int, float]] = []
        window.feature(Watching).watch.reading.swapped.connect(self._swapped)
        window.pace.timer.timeout.connect(self._look)

    def _swapped(self, swap: Swap) -> None:
        # The frame after the next was surely made after the change.
        self._due.append((self._window.frames.count + 2, swap.checkpoint.stamp[0] / 1e9))

    def _look(self) -> None:
        shown = self._window.frames.count
        self.seconds += [time.time() - when for frame, when in self._due if frame <= shown]
        self._due = [each for each in self._due if each[0] > shown]


def _write_in_place(window: StudioWindow, delays: _Delays, number: int) -> float:
    """Write a checkpoint under its own name, with a rest in the middle; return its delay."""
    watch = window.feature(Watching).watch
    source, step = watch.swap.checkpoint.path, 1_000_000 + number
    path = source.with_name(f"in-place-{step}.safetensors")
    # Of a later step than any that comes meanwhile.
    data = save(load(source.read_bytes()), {KEY: json.dumps({"step": step})})
    with open(path, "wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        _rest(0.3)
        file.write(data[len(data) // 2 :])
    before = len(delays.seconds)
    process_until(lambda: watch.swap.checkpoint.path == path)
    process_until(lambda: len(delays.seconds) > before)
    return delays.seconds[-1]


def _rest(seconds: float) -> None:
    done = time.perf_counter() + seconds
    process_until(lambda: time.perf_counter() > done)


def _open_many(window: StudioWindow, folder: Path) -> float:
    """Watch a folder of very many checkpoints; return how long until they stand there."""
    watch = window.feature(Watching).watch
    source = watch.swap.checkpoint.path
    link: Callable[[Path, Path], object] = getattr(os, "link", shutil.copyfile)
    first = folder / "lenet-00000000.safetensors"
    shutil.copyfile(source, first)
    for number in range(1, MANY):
        link(first, folder / f"lenet-{number:08d}.safetensors")
    window.feature(Watching).watch.stop()
    started = time.perf_counter()
    window.feature(Watching).start(folder)
    process_until(lambda: len(watch.bar.plot.timeline) == MANY)
    watch.bar.plot.repaint()
    return time.perf_counter() - started
