"""Finding and switching neurons: opening the picker, typing in it, and the first new frame."""

from __future__ import annotations

import time
from statistics import median

import torch
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit
from row import Row
from window import process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.picker.feature import Picking
from ldam_studio.gui.picker.picker import NeuronPicker
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

TYPED = ("flamingo", "layer3.4.conv2", "bottleneck", "-layer4.2.conv3:1207@3,4", "conv 99")
VISITED = (  # one neuron in each, none of them in the layer before
    "features.3",
    "features.12",
    "features.0",
    "features.7.expand3x3",
    "classifier.1",
    "features.5.squeeze",
    "features.10",
    "features.12.expand3x3",
    "features.6",
)


def measure() -> list[Row]:
    """Open the picker of a network with 26,000 channels and type in it; then switch about."""
    torch.set_num_threads(1)
    app = make_application()
    large = _untrained("resnet50")
    picker = NeuronPicker()
    picker.resize(270, 700)
    picker.show()
    app.processEvents()
    started = time.perf_counter()
    picker.set_network(large)
    picker.set_neurons(large.default_neurons(4))
    app.processEvents()
    opened = time.perf_counter() - started
    worst = max(_typing(app, picker.findChild(QLineEdit), text) for text in TYPED)
    picker.close()
    switches = _switching(_untrained("squeezenet1_0"))
    return [
        Row("resnet50: picker open after loading, s", opened, "<= 0.5"),
        Row("resnet50: longest wait while a filter is typed, ms", 1000 * worst, "<= 50"),
        *(
            Row(f"squeezenet: neuron to {what}, {visit}, ms", 1000 * delay, bound)
            for visit, delays in zip(("first visit", "again"), switches, strict=True)
            for what, delay, bound in zip(
                ("its first frame", "its first step"), delays, ("<= 300", ""), strict=True
            )
        ),
    ]


def _untrained(name: str) -> Network:
    return open_network(f"torchvision:{name}", options=Options(untrained=True))


def _typing(app: object, field: QLineEdit, text: str) -> float:
    """Type a text and clear it; return the longest time from a key to its being painted."""
    field.clear()
    app.processEvents()
    waits = []
    for letter in (*text, None):
        started = time.perf_counter()
        if letter is None:
            field.clear()
        else:
            QTest.keyClicks(field, letter)
        app.processEvents()
        waits.append(time.perf_counter() - started)
    return max(waits)


def _switching(network: Network) -> list[tuple[float, float]]:
    """Return, for a first and a second visit, the median delays to a neuron's frame and step."""
    device = choose("cpu", threads=1)
    window = StudioWindow(device)
    window.open(network_opening(network, device))
    window.show()
    process_until(lambda: window.has_all_features and window.last_frame is not None)
    process_until(lambda: window.last_frame.step > 1)
    rounds = []
    for at in (1, 2):
        shown, stepped = zip(*(_delays(window, Neuron(name, at)) for name in VISITED), strict=True)
        rounds.append((median(shown), median(stepped)))
    window.close()
    return rounds


def _delays(window: StudioWindow, neuron: Neuron) -> tuple[float, float]:
    """Choose a neuron; return when a frame shows it, and when one shows a step that it drove."""
    started = time.perf_counter()
    window.feature(Picking).picker.choose(neuron)
    process_until(lambda: window.last_frame.lanes[0].neurons[0] == neuron)
    shown = time.perf_counter() - started
    step = window.last_frame.step
    process_until(lambda: window.last_frame.step > step)
    stepped = time.perf_counter() - started
    # Go on from a chain that runs, not from one that has just begun.
    process_until(lambda: window.last_frame.step > step + 3)
    return shown, stepped
