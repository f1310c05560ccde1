"""Closes the window in the usual way on Ctrl-C and on signals that end the program."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

from PyQt6.QtCore import QObject, QSocketNotifier
from PyQt6.QtWidgets import QApplication, QWidget
from PyQt6.sip import voidptr


class Interrupt(QObject):
    """Closes the window on SIGINT (Ctrl-C), SIGTERM and SIGHUP, without asking anything.

    Python runs signal handlers only between its own instructions, which Qt's event loop executes
    rarely. Python therefore also writes a byte to a socket, which wakes the event loop without a
    timer. A handler interrupts code at any place, so it only notes the signal; the event loop
    closes the window.
    """

    def __init__(self, window: QWidget, close: Callable[[], object]) -> None:
        super().__init__()
        self._window, self._close_window = window, close
        self._asked = False
        self._signals = [
            s
            for s in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None))
            if s is not None
        ]

    def __enter__(self) -> Interrupt:
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(voidptr(self._read.fileno()), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._wake)
        self._old_wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._old = [signal.signal(s, self._ask) for s in self._signals]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in zip(self._signals, self._old, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()

    def _wake(self) -> None:
        try:
            self._read.recv(64)
        except OSError:
            return
        if self._asked:
            self._close()

    def _ask(self, _number: int, _frame: object) -> None:
        self._asked = True

    def _close(self) -> None:
        for dialog in QApplication.topLevelWidgets():
            if dialog is not self._window and dialog.isVisible():
                dialog.close()
        self._close_window()
