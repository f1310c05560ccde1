"""What a step takes beside network and gradient, with ten chains of SqueezeNet at 224 pixels.

All numbers are processor time of one thread, measured in turns within one run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from row import Row

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device, choose, processor
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import computes_in_bfloat16
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import LAYOUTS, PLAIN
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.settings import Settings

CHAINS, ROUNDS = 10, 7
SETTINGS = {
    "mode": "normalised",
    "spectrum": 0.5,
    "spectrum_floor": 5.0,
    "colour_correlation": 0.85,
    "smoothness": 0.1,
    "l2": 0.0,
    "natural_l2": 0.1,
    "start_spectrum": 1.0,
    "threshold": 0.0,  # otherwise noise images are evaluated in the first steps
    "burn_in": 0,
}
VIEWS = {"jitter": 16, "view_zoom": 1.25, "view_rotation": 10.0, "view_flip": True}
MOST = {"without views": 1.3, "with one view": 1.6}
"""The whole step in units of network and gradient."""


def measure() -> list[Row]:
    """Measure steps without views and with one, in each precision that this processor computes."""
    torch.set_num_threads(1)
    kind = torch.backends.cpu.get_cpu_capability()
    print(f"processor: {processor()} ({kind})", file=sys.stderr)
    network = squeezenet()
    rows = []
    for precision in ("float32", "bfloat16") if computes_in_bfloat16("cpu") else ("float32",):
        for what, values in (("without views", {}), ("with one view", VIEWS)):
            settings = Settings.of(**SETTINGS, **values)
            spec = SessionSpec(network, network.default_neurons(CHAINS), settings)
            state = open_session(replace(spec, device=fastest(spec, precision)))
            rows += _rows(f"squeezenet1_0, {CHAINS} chains, {precision}, {what}", what, state)
    return rows


def fastest(spec: SessionSpec, precision: str) -> Device:
    """Return the device with the memory format in which network and gradient take least time."""
    ways = [choose("cpu", precision, plan=replace(PLAIN, layout=layout)) for layout in LAYOUTS]
    lane = open_session(replace(spec, device=ways[0])).lane
    found = [activation_of(lane, device) for device in ways]
    x = lane.chains.x
    seconds = [min(_seconds(lambda f=f: f(x)) for _ in range(3)) for f in found]
    return ways[seconds.index(min(seconds))]


def _rows(name: str, what: str, state: SessionState) -> list[Row]:
    bare = activation_of(state.lane, state.device)
    state, _ = advance(state)
    network, step = [], []
    for _ in range(ROUNDS):
        x = state.lane.chains.x
        network.append(_seconds(lambda x=x: bare(x)))
        started = time.thread_time()
        state, _ = advance(state)
        step.append(time.thread_time() - started)
    pairs = list(zip(step, network, strict=True))
    rest, share = median(s - n for s, n in pairs), median((s - n) / s for s, n in pairs)
    ratio = median(s / n for s, n in pairs)
    rows = [
        Row(f"{name}: network and gradient, ms", 1e3 * median(network)),
        Row(f"{name}: rest of the step, ms", 1e3 * rest),
        Row(f"{name}: step / network and gradient", ratio, f"<= {MOST[what]}"),
    ]
    if what == "without views":
        rows.append(Row(f"{name}: share of the rest", share, "<= 0.15"))
    return rows


def _seconds(run: Callable[[], object]) -> float:
    started = time.thread_time()
    run()
    return time.thread_time() - started


def squeezenet() -> Network:
    """Open the network with the weights in `$LDAM_DATA`, else with random ones that respond."""
    weights = Path(os.environ.get("LDAM_DATA", "")) / "weights/squeezenet1_0_imagenet.safetensors"
    if weights.is_file():
        return open_network("torchvision:squeezenet1_0", weights)
    network = open_network("torchvision:squeezenet1_0", options=Options(untrained=True))
    with torch.no_grad():
        network.module.classifier[1].bias.fill_(1.0)  # otherwise half of the classes are silent
    return network
