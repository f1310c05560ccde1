"""Memory that steps, and switches of neuron and network, leave behind, as in an open window."""

from __future__ import annotations

import threading

import psutil
import switches
from row import Row

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

STEPS = 50_000
WARM_UP = 2_000


def measure() -> list[Row]:
    """Take many steps, then switch neurons and networks many times."""
    return [_steps(), *switches.measure()]


def _steps() -> Row:
    """Run two chains of the first convolution, the cheapest session there is."""
    network = open_network("lenet")
    spec = SessionSpec(
        network, network.spread("conv1", 2), Settings.of(window=200), device=choose("cpu")
    )
    runner = Runner(open_session(spec))
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        _run_to(runner, WARM_UP)
        before = psutil.Process().memory_info().rss
        _run_to(runner, WARM_UP + STEPS)
        growth = psutil.Process().memory_info().rss - before
    finally:
        runner.close()
        thread.join()
    return Row("memory growth over 50,000 steps, MB", growth / 1e6, "<= 20")


def _run_to(runner: Runner, step: int) -> None:
    """Step until then, asking for frames and moving a slider as a window would."""
    turn = threading.Event()
    runner.play()
    beat = 0
    while runner.status.step < step:
        beat += 1
        runner.request_frame(FrameRequest())
        runner.mailbox.take()
        if beat % 10 == 0:
            runner.post("temperature", 0.01 + 0.01 * (beat % 20))
        turn.wait(1 / 30)
    runner.pause()
