"""What switching neurons and networks in an open window leaves behind: memory, hooks, threads."""

from __future__ import annotations

import gc
import random
import sys
import threading

import psutil
from PyQt6.QtCore import QCoreApplication, QEvent, QThread
from row import Row
from torch.utils.hooks import RemovableHandle
from window import process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.run_state import RunState
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import network_opening, start
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.memory import give_back
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.opening import open_network

NEURONS, NETWORKS_OPENED = 1000, 50
WARM_UP = 10  # networks, each with its share of the neurons


def measure() -> list[Row]:
    """Switch neurons and networks in turns, each time until the window shows it."""
    hooks = _Hooks()
    device = choose("cpu", threads=1)
    app = make_application()
    threads = _threads()
    window = StudioWindow(device)
    window.open(start(device))
    window.show()
    shuffle = random.Random(0)
    try:
        _switch(window, WARM_UP, shuffle)
        before = _used(window)
        _switch(window, NETWORKS_OPENED, shuffle)
        growth = _used(window) - before
    finally:
        window.close()
        window.deleteLater()
        hooks.stop()
    del window
    _clear()
    process_until(lambda: _threads() <= threads)
    app.processEvents()
    what = f"{NEURONS:,} switches of neuron and {NETWORKS_OPENED} of network"
    return [
        Row(f"{what}: growth in MB", growth / 1e6, "<= 30"),
        Row("hooks they leave", hooks.left(), "<= 0"),
        Row("threads they leave", max(0, _threads() - threads), "<= 0"),
    ]


def _switch(window: StudioWindow, networks: int, shuffle: random.Random) -> None:
    """Open networks in turns and look at their neurons, of all layers."""
    names = list(NETWORKS)
    for number in range(networks):
        network = open_network(names[number % len(names)])
        window.open(network_opening(network, window.studio.device))
        process_until(lambda shown=network: _shows(window, shown))
        for _ in range(NEURONS // NETWORKS_OPENED):
            layer = shuffle.choice(network.layers)
            neuron = Neuron(layer.name, shuffle.randrange(layer.neurons))
            window.controller.set_neurons(neuron)
            process_until(lambda shown=neuron: window.last_frame.lanes[0].neurons[0] == shown)


def _shows(window: StudioWindow, network: Network) -> bool:
    model = window.model
    mine = model.is_open and model.outline.lane.network is network
    return mine and window.last_frame is not None and window.last_frame.step > 0


def _used(window: StudioWindow) -> int:
    """Return what is held once the sessions before the one in front have ended, and that rests.

    What its next step will take is in nobody's way, so it is given back first.
    """
    process_until(lambda: len(window.controller._threads) == 1)
    window.controller.pause()
    process_until(lambda: window.model.run_state is RunState.PAUSED)
    _clear()
    give_back()
    used = int(psutil.Process().memory_info().rss)
    window.controller.play()
    return used


def _clear() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()


def _threads() -> int:
    """Count the threads that run: Python's and Qt's."""
    own = [t for t in threading.enumerate() if not isinstance(t, threading._DummyThread)]
    deleted = sys.modules["PyQt6.sip"].isdeleted
    # By type: asking some of torch's own objects for their class warns.
    qt = [t for t in gc.get_objects() if issubclass(type(t), QThread) and not deleted(t)]
    main = QThread.currentThread()
    return len(own) + sum(t is not main and t.isRunning() for t in qt)


class _Hooks:
    """Follows every hook from its making, and tells which are still registered."""

    def __init__(self) -> None:
        self._made = RemovableHandle.__init__
        handles = self._handles = []

        def note(handle: RemovableHandle, hooks: object, **given: object) -> None:
            self._made(handle, hooks, **given)
            handles.append((handle.id, handle.hooks_dict_ref))

        RemovableHandle.__init__ = note

    def stop(self) -> None:
        """Follow no more."""
        RemovableHandle.__init__ = self._made

    def left(self) -> int:
        """Count those that are registered on something that lives."""
        tables = ((number, table()) for number, table in self._handles)
        return sum(table is not None and number in table for number, table in tables)
