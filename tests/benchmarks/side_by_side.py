"""Two networks side by side against one alone: processor time, in turns in one process."""

from __future__ import annotations

import time
from statistics import median

import torch
from row import Row
from window import process_until

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.state import SessionState
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.sources.opening import open_network

ROUNDS, STEPS = 7, 100
TURNS, TURN_STEPS = 5, 60
MOST = 2.1
WARM = 20


def measure() -> list[Row]:
    """Compare steps by themselves, then steps with the frames that a window draws of them."""
    torch.set_num_threads(1)
    bound = f"<= {MOST}"
    return [
        Row("processor time of a step, two networks / one", _steps(), bound),
        Row("the same in a window that draws them", _in_a_window(), bound),
    ]


def _steps() -> float:
    device = choose("cpu", threads=1)
    alone, both = start(device).make(), start(device).make()
    advance(both, [Change("compare", LaneSpec(open_network("lenet-averaged")))], 0)
    alone, both = _taken(alone, WARM)[0], _taken(both, WARM)[0]
    ratios = []
    for _ in range(ROUNDS):
        alone, one = _taken(alone, STEPS)
        both, two = _taken(both, STEPS)
        ratios.append(two / one)
    return median(ratios)


def _taken(state: SessionState, steps: int) -> tuple[SessionState, float]:
    """Take steps; returns the processor time of them all."""
    began = time.process_time()
    for _ in range(steps):
        state, _ = advance(state)
    return state, time.process_time() - began


def _in_a_window() -> float:
    app = make_application()
    window = StudioWindow(choose("cpu", threads=1))
    window.resize(1280, 820)
    window.open(start(window.studio.device))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > WARM)
    second, ratios = open_network("lenet-averaged"), []
    try:
        for _ in range(TURNS):
            one = _of_a_step(window)
            window.controller.compare(second)
            process_until(lambda: len(window.last_frame.lanes) > 1)
            two = _of_a_step(window)
            window.controller.end_comparison()
            process_until(lambda: len(window.last_frame.lanes) == 1)
            ratios.append(two / one)
        return median(ratios)
    finally:
        window.close()
        app.processEvents()


def _of_a_step(window: StudioWindow) -> float:
    """Return the processor time of a step, that of the frames drawn meanwhile with it."""
    runner = window.controller.runner
    first, began = runner.status.step, time.process_time()
    process_until(lambda: runner.status.step >= first + TURN_STEPS)
    return (time.process_time() - began) / (runner.status.step - first)
