"""How soon a class that is chosen in the window can be recognised: SqueezeNet, from noise.

Another network, ResNet-50, names the running average. It counts seconds on the clock, so that only
an otherwise idle machine tells.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch
from row import Row
from window import process_until

from ldam_studio.analysis.class_splits import classes_of
from ldam_studio.analysis.named import FIVE, ask
from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network

FLAMINGO = 130
SECONDS = (3, 5)
OTHERS = classes_of("report", 1000)[::32]
WEIGHTS = Path(os.environ.get("LDAM_DATA", "data"), "weights")
JUDGE = Path(__file__).with_name("resnet50_v1.py")


def measure() -> list[Row]:
    """Choose one class after the other, and ask the judge twice; no rows without the weights."""
    explained = WEIGHTS / "squeezenet1_0_imagenet.safetensors"
    judging = WEIGHTS / "resnet50_v1_imagenet.safetensors"
    if not (explained.is_file() and judging.is_file()):
        print(f"no trained weights in {WEIGHTS}", file=sys.stderr)
        return []
    torch.set_num_threads(1)
    network = open_network("torchvision:squeezenet1_0", explained)
    judge = open_network(f"{JUDGE}:resnet50_v1", judging)
    device = choose("cpu", threads=1)
    app = make_application()
    window = StudioWindow(device)
    window.open(network_opening(network, device))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 20, 60)
    flamingo, *others = [_choose(window, network, judge, i) for i in (FLAMINGO, *OTHERS)]
    window.controller.pause()
    process_until(lambda: window.model.run_state.value == "paused")
    window.close()
    app.processEvents()
    rows = [
        Row("flamingo: place in the judge's list, 3 s after it was chosen", flamingo[0], "<= 5")
    ]
    for seconds, places in zip(SECONDS, zip(*others, strict=True), strict=True):
        share = sum(place <= FIVE for place in places) / len(places)
        rows.append(
            Row(f"share of {len(places)} classes in its first five after {seconds} s", share)
        )
    return rows


def _choose(window: StudioWindow, network: Network, judge: Network, index: int) -> list[int]:
    """Return the class's place in the judge's list after each of `SECONDS`."""
    started = time.perf_counter()
    window.controller.set_neurons(Neuron(network.class_layer.name, index))
    window.controller.restart()
    places = []
    for seconds in SECONDS:
        process_until(lambda s=seconds: time.perf_counter() - started > s, seconds + 5)
        lane = window.last_frame.lanes[0]
        shown = torch.as_tensor(lane.raw if lane.average is None else lane.average)
        places.append(int(ask(judge, shown[None], torch.tensor([index])).ranks[0]) + 1)
    return places
