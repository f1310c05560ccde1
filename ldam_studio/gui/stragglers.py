"""Threads that were abandoned and have not ended yet."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QThread

PATIENCE_MS = 5000

STRAGGLERS: list[QThread] = []
"""Abandoned threads that still run: Qt ends the process when a running thread is deleted."""


def keep_to_its_end(thread: QThread) -> None:
    """Keep a reference to an abandoned thread until it has ended, then delete the thread."""
    STRAGGLERS.append(thread)
    thread.finished.connect(partial(_clear_away, thread))
    if thread.isFinished():
        _clear_away(thread)


def wait_for(name: str) -> None:
    """Wait until the abandoned threads with this name have ended, but not for ever."""
    for thread in tuple(STRAGGLERS):
        if thread.objectName() == name:
            thread.wait(PATIENCE_MS)


def _clear_away(thread: QThread) -> None:
    if thread in STRAGGLERS:
        STRAGGLERS.remove(thread)
        thread.deleteLater()
