"""What a window, a thread or a module may leave behind when it should be gone."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

from torch.utils.hooks import RemovableHandle


def runs(thread: threading.Thread) -> bool:
    """Tell whether a thread really runs; Python never forgets a foreign one that it has met."""
    if not isinstance(thread, threading._DummyThread):
        return thread.is_alive()
    return Path(f"/proc/self/task/{thread.native_id}").exists()


def hooked(handles: list[RemovableHandle]) -> list[str]:
    """Return the hooks that are still registered, by the functions' names."""
    tables = ((handle.id, handle.hooks_dict_ref()) for handle in handles)
    return [
        getattr(table[number], "__qualname__", repr(table[number]))
        for number, table in tables
        if table is not None and number in table
    ]


def of_qt(before: set[int]) -> tuple[list, list, list]:
    """Return top-level widgets that are new, timers that tick, and Qt's threads that run."""
    from PyQt6.QtCore import QThread, QTimer
    from PyQt6.QtWidgets import QApplication

    sip = sys.modules["PyQt6.sip"]
    ticking, running = [], []
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, QTimer) and not sip.isdeleted(thing) and thing.isActive():
            ticking.append(thing)
        elif issubclass(kind, QThread) and not sip.isdeleted(thing) and thing.isRunning():
            running.append(thing)
    running = [thread for thread in running if thread is not QThread.currentThread()]
    widgets = [w for w in QApplication.topLevelWidgets() if id(w) not in before]
    return widgets, ticking, running
