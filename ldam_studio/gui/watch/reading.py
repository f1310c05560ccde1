"""Connects the thread that reads checkpoints to the window."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.watching.watcher import MOST_WAIT_S, Watcher

if TYPE_CHECKING:
    from ldam_studio.gui.watch.timeline import Plan
    from ldam_studio.networks.network import Network


class Reading(QObject):
    """Owns one watcher at a time, and emits its reports in the window's thread.

    A watcher reads files on a thread of its own. Queued signals carry its reports, with the number
    of the watcher, so that reports of an earlier watcher can be dropped.
    """

    told = pyqtSignal(object)  # News
    swapped = pyqtSignal(object)  # Swap
    _told = pyqtSignal(int, object)
    _swapped = pyqtSignal(int, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.watcher: Watcher | None = None
        self._number = 0
        self._closers: list[threading.Thread] = []
        self._told.connect(self._pass_news_on)
        self._swapped.connect(self._pass_swap_on)

    def prepare(self, network: Network, plan: Plan) -> Watcher:
        """Make a watcher for a plan's checkpoints; the caller starts it."""
        self._number += 1
        number = self._number
        self.watcher = Watcher(
            network,
            plan.place,
            average=0 if plan.own else plan.average,
            on_news=partial(self._told.emit, number),
            on_swap=partial(self._swapped.emit, number),
        )
        return self.watcher

    def stop(self) -> bool:
        """Stop the watcher without waiting for it; return whether there was one."""
        if self.watcher is None:
            return False
        watcher, self.watcher = self.watcher, None
        self._number += 1
        # Closing waits for the thread, which may be reading a large file.
        closer = threading.Thread(target=watcher.close, name="watch-close")
        closer.start()
        self._closers = [*(c for c in self._closers if c.is_alive()), closer]
        return True

    def close(self) -> None:
        """Wait until all threads have ended, which none of them takes for ever."""
        for closer in self._closers:
            closer.join(MOST_WAIT_S)

    def _pass_news_on(self, number: int, news: object) -> None:
        if number == self._number:
            self.told.emit(news)

    def _pass_swap_on(self, number: int, swap: object) -> None:
        if number == self._number:
            self.swapped.emit(swap)
