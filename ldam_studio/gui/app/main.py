"""Starting and ending the studio."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QSocketNotifier, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from ldam_studio.engine.compute.device import choose
from ldam_studio.errors import StudioError
from ldam_studio.gui.theme import theme
from ldam_studio.memory import share_one_heap
from ldam_studio.networks.pixels import UnknownInputError

if TYPE_CHECKING:
    import argparse

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.window.window import StudioWindow
    from ldam_studio.networks.sources.request import NetworkRequest


SWITCH_S = 0.002


def main(args: argparse.Namespace) -> int:
    """Open the studio and return the exit code.

    Without a display, the opening session runs offscreen for a while and leaves two pictures.

    Raises
    ------
    StudioError
        If the device is not there, or a picture or network that was named cannot be opened.
    """
    from ldam_studio.commands.shared.flags import preset_of
    from ldam_studio.gui.session.openings import start

    device = choose(args.device, args.precision, args.threads)
    # Before the window: what is wrong with it is told where it was typed.
    preset = preset_of(args)
    opening, request, unknown = _named_or_unknown(args, device)
    watched = getattr(args, "watch", None)  # only the command of that name has it
    why = no_display()
    if why and watched is not None:
        raise StudioError(
            f"Watching takes a window, and {why}; a checkpoint's picture is made by ldam-studio "
            "render --weights FILE."
        )
    if why:
        from ldam_studio.gui.app.offscreen import run_without_display

        opening = replace(opening or start(device, args.data), preset=preset)
        return run_without_display(device, args, why, opening)
    app = make_application()
    from ldam_studio.gui.session.store import SessionStore
    from ldam_studio.gui.window.window import StudioWindow

    if args.picture is not None:
        from ldam_studio.gui.opening.files import picture_opening

        opening = picture_opening(args.picture)
    window = StudioWindow(device, SessionStore(), args.data)
    failures = Failures(window)
    remembered = window.store.recall(window)
    before = start(device, args.data) if args.fresh else remembered
    if opening is not None and not args.fresh and args.network == window.store.last_network:
        note = "The last session looked at this network, too."
        opening = replace(opening, note=note, offered=remembered.offered or remembered)
    if opening is not None and opening.published:
        # What may have to be asked is asked in a window that lives.
        window.open(before)
    if watched is not None:
        window.watching.start(watched, args.watched, args.average, args.discriminator_rounds)
    else:
        window.open(replace(opening or before, preset=preset))
    if request is not None:
        window.files.remember_network(request)
    window.show()
    QTimer.singleShot(0, window.complete)
    if unknown is not None:
        QTimer.singleShot(0, partial(ask_for_input, window, unknown))
    with Interrupt(window), failures:
        code = app.exec()
    # Everything is saved. Qt's objects are left to the operating system: Python would take them
    # down in any order, which now and then crashes, and would wait for a step that takes seconds.
    _KEPT.extend((app, window, failures))
    atexit.register(_leave, code)
    return code


_KEPT: list[QObject] = []


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _named_or_unknown(
    args: argparse.Namespace, device: Device
) -> tuple[Opening | None, NetworkRequest | None, NetworkRequest | None]:
    """Open the network that ``--network`` names.

    Where nothing tells what images it takes and there is a window to ask in, what was asked for is
    the last that is returned, and nothing is opened. With a second network there is more to it than
    the dialog could hand on, and that is the error which says what to give.
    """
    try:
        return *_named_network(args, device), None
    except UnknownInputError:
        more = ("watch", "compare", "compare_weights", "compare_set")
        if any(getattr(args, name, None) for name in more) or no_display():
            raise
    from ldam_studio.networks.sources.request import NetworkRequest

    return None, None, NetworkRequest(args.network, args.weights, args.labels, args.partial)


def ask_for_input(window: StudioWindow, request: NetworkRequest) -> None:
    """Show the dialog that asks what images the network of the command line takes."""
    window.files.ask_for_network(request).ask_for_input()


def _named_network(
    args: argparse.Namespace, device: Device
) -> tuple[Opening | None, NetworkRequest | None]:
    """Open the network that ``--network`` names."""
    if args.network is None:
        return None, None
    from ldam_studio.commands.shared.beside import beside_of
    from ldam_studio.commands.shared.flags import network_of
    from ldam_studio.gui.session.openings import network_opening
    from ldam_studio.networks.sources.request import NetworkRequest

    device.apply()
    network = network_of(args)
    beside = beside_of(args, network) if "compare" in args else None
    request = NetworkRequest(
        args.network, args.weights, args.labels, args.partial, network.given_pixels
    )
    return replace(network_opening(network, device, args.data), beside=beside), request


def make_application() -> QApplication:
    """Make the application with its name and look."""
    # The sampler lets go of the interpreter in every torch operation; while the window holds it,
    # the sampler should not have to wait for the usual 5 ms to get it back.
    sys.setswitchinterval(SWITCH_S)
    share_one_heap()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("ldam-studio")
    app.setApplicationDisplayName("LDAM Studio")
    app.setDesktopFileName("ldam-studio")
    theme.apply(app)
    return app


def no_display() -> str:
    """Return why no window can be shown here, or an empty text.

    Asked before Qt is: it ends the process where it finds no display.
    """
    if os.environ.get("QT_QPA_PLATFORM") or sys.platform in ("win32", "darwin"):
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if host in ("", "unix") and number.isdecimal() and not _local_display_answers(number):
        return f"the display {display} does not answer"
    return ""


def _local_display_answers(number: str) -> bool:
    """Whether an X server listens at the socket of that number, in the file system or not."""
    path = f"/tmp/.X11-unix/X{number}"
    for address in (path, "\0" + path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False


class Failures(QObject):
    """Turns an exception that nobody caught into one sentence; PyQt would end the process.

    Exceptions of other threads come by a queued signal, because only the window's own thread may
    touch it. The traceback goes to the terminal.
    """

    failed = pyqtSignal(str)

    def __init__(self, window: StudioWindow) -> None:
        super().__init__()
        self.failed.connect(lambda text: window.say(text, "danger"))

    def __enter__(self) -> Failures:
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = self._caught
        threading.excepthook = lambda args: self._caught(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        return self

    def __exit__(self, *_: object) -> None:
        sys.excepthook, threading.excepthook = self._hooks

    def _caught(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        traceback.print_exception(kind, error, trace)
        where = traceback.extract_tb(trace)[-1:] or [None]
        place = f" in {Path(where[0].filename).name}" if where[0] is not None else ""
        self.failed.emit(
            f"Something went wrong{place} ({kind.__name__}: {error}); the session goes on, details "
            "are in the terminal."
        )


class Interrupt(QObject):
    """Lets Ctrl-C and a polite kill close the window as a click would.

    Python's handlers only run when Python code does; a byte in a socket wakes Qt's loop for them,
    so that no timer has to run all the time. They run in the middle of whatever code that is, so
    that the window is not closed there, but by Qt's loop once it has the byte.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__()
        self._window = window
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
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read)
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
        self._window.close()
