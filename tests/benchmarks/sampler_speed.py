"""Steps per second of the runner against the bare loop, in turns."""

from __future__ import annotations

import threading
import time
from statistics import median

import torch
from bare import BareLoop
from row import Row

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.runner import Runner
from ldam_studio.gui.session.openings import start

ROUNDS, SECONDS = 5, 2.0


def measure() -> list[Row]:
    """Compare them at one thread each."""
    torch.set_num_threads(1)
    state = start(choose("cpu", threads=1)).make()
    bare = BareLoop(state)
    runner = Runner(state)
    thread = threading.Thread(target=runner.run)
    thread.start()
    ratios = []
    try:
        for _ in range(ROUNDS):
            runner.play()
            ratio = _rate(runner)
            runner.ask(lambda _state: runner.pause()).result()
            ratios.append(ratio / bare.rate(SECONDS))
    finally:
        runner.close()
        thread.join()
    return [Row("steps/s, runner / bare torch loop", median(ratios), ">= 0.9")]


def _rate(runner: Runner) -> float:
    before, started = runner.status.step, time.perf_counter()
    threading.Event().wait(SECONDS)
    return (runner.status.step - before) / (time.perf_counter() - started)
