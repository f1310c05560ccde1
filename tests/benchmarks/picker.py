"""Finding and switching neurons: opening the picker, typing in it, and the first new frame."""

from __future__ import annotations

import time
from statistics import median

import torch
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit
from row import Row
from window import process_until

from ldam_studio.engine.machine import choose
from ldam_studio.gui.app import make_application
from ldam_studio.gui.picker import NeuronPicker
from ldam_studio.gui.sessions import network_opening
from ldam_studio.gui.window import StudioWindow
from ldam_studio.networks.network import Network, Neuron
from ldam_studio.networks.zoo import Options, open_network

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
    first, again = _switching(_untrained("squeezenet1_0"))
    return [
        Row("resnet50: picker open after loading, s", opened, "<= 0.5"),
        Row("resnet50: longest wait while a filter is typed, ms", 1000 * worst, "<= 50"),
        Row("squeezenet: neuron to first step's frame, first visit, ms", 1000 * first, "<= 300"),
        Row("squeezenet: neuron to first step's frame, again, ms", 1000 * again, "<= 300"),
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


def _switching(network: Network) -> tuple[float, float]:
    """Return the median delay to a frame of the chosen neuron's own first step, and once more."""
    machine = choose("cpu", threads=1)
    window = StudioWindow(machine)
    window.open(network_opening(network, machine))
    window.show()
    window.complete()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 1)
    rounds = [median(_delay(window, Neuron(name, at)) for name in VISITED) for at in (1, 2)]
    window.close()
    return rounds[0], rounds[1]


def _delay(window: StudioWindow, neuron: Neuron) -> float:
    step, started = window.last_frame.step, time.perf_counter()

    def seen() -> bool:
        frame = window.last_frame
        return frame.neurons[0] == neuron and frame.step > step and frame.activation is not None

    window.panels.picker.choose(neuron)
    process_until(seen)
    delay = time.perf_counter() - started
    # Go on from a chain that runs, not from one that has just begun.
    process_until(lambda: window.last_frame.step > step + 3)
    return delay
