"""A studio on which actions are played, with everything that may go wrong noted."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psutil
from heart import Heart
from PIL import Image
from PyQt6.QtCore import QEvent, Qt, QTimer, qInstallMessageHandler
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox

from gui.checkpoints import leave
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.watching import process
from ldam_studio.gui.app import main
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.app.start import Start
from ldam_studio.gui.opening.files import Files
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.gui.window.window import StudioWindow

TURN_S = 5.0  # the longest turn of the event loop
OPEN_S, CLOSE_S, STUCK_S = 90.0, 90.0, 300.0
ANSWER_MS = 15  # between two looks whether a dialog waits for an answer
KNOWN = (
    "This plugin does not support",
    "propagateSizeHints",
    "QFont::setPointSize",
    "QFontDatabase",
)
NETWORK = """
from torch import nn

def model():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 4))

def broken():
    raise RuntimeError("this network cannot be made")
"""
TRAINER = """
import json, sys
for line in sys.stdin:
    if json.loads(line).get("stop"):
        break
"""


class Fault(Exception):
    """Something that must not happen, in words."""


class Player:
    """One studio in a folder of its own, which may be closed and started again.

    Parameters
    ----------
    folder
        An empty folder for its state and its files.
    """

    def __init__(self, folder: Path) -> None:
        faulthandler.enable()
        self.faults: list[str] = []
        self.files = folder / "files"
        self.watched = folder / "checkpoints"
        work = folder / "a" / "b" / "c"
        for made in (self.files, self.watched, work):
            made.mkdir(parents=True)
        os.chdir(work)
        self.fill()
        self.app = make_application()
        # The loop is no QApplication.exec, so nothing may tell it to quit.
        self.app.setQuitOnLastWindowClosed(False)
        self._listen()
        self.answers = Random(0)
        self.undone = 0  # how often everything was undone and done again
        self.slowest: dict[str, float] = {}  # the longest turn by the action, in seconds
        self._nested = 0
        self._timer = QTimer()
        self._timer.timeout.connect(self._answer)
        self._timer.start(ANSWER_MS)
        self._answer_dialogs()
        self.heart = Heart(TURN_S)
        self.window = self._start()
        self.first_outline: Any = None

    # Starting, waiting and ending

    def _start(self) -> StudioWindow:
        window = main._window(Start(choose("cpu")), None)
        self.window = window
        self.since_open, self.base, self.is_whole = 0, 0, False
        self.first_outline = None
        window.controller.opening.connect(self._on_opening)
        window.model.session_changed.connect(self._on_session)
        take = window.controller.set_weights

        def take_watched(*given: Any, **more: Any) -> None:
            self.is_whole = False  # what is watched gives weights, which nobody undoes
            take(*given, **more)

        window.controller.set_weights = take_watched
        change = window.controller.set_values

        def set_values(values: Any, *, note: bool = True, text: str = "") -> None:
            self.is_whole = self.is_whole and note  # watching sets what is learned from it
            change(values, note=note, text=text)

        window.controller.set_values = set_values
        return window

    def _on_opening(self, _opening: object) -> None:
        self.first_outline, self.is_whole = None, False

    def _on_session(self) -> None:
        """Note what a session was like at first, to which undoing everything must lead."""
        if self.first_outline is None:
            self.first_outline = self.window.model.outline
            self.base = self.window.controller.undo_stack.stack.index()
            self.since_open, self.is_whole = 0, True

    def wait(self, ms: int) -> None:
        QTest.qWait(ms)

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Let the window live until something holds; a `Fault` if it takes too long."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise Fault(f"after {seconds:.0f} s: {what}")
            QTest.qWait(10)

    def settle(self) -> None:
        """Wait until a session is open and has the weights that were dropped."""
        window = self.window

        def is_settled() -> bool:
            reads = window.has_all_features and window.feature(Files).weights.is_reading
            return window.controller.runner is not None and not reads

        self.until(is_settled, OPEN_S, "no session has opened, or weights were not read")

    def restart(self, *, by_menu: bool = False) -> None:
        """Close the studio and start it again."""
        self.close(by_menu=by_menu)
        with self.heart.resting():  # a start is no turn of the loop
            self.window = self._start()

    def close(self, *, by_menu: bool = False) -> None:
        """Close the studio as a person does, and wait until it has gone."""
        window = self.window
        if by_menu:
            window.actions_by_name["quit"].trigger()
        else:
            window.close()
        self.until(window.isHidden, CLOSE_S, "the window has not closed")
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def end(self) -> None:
        """End what is left of the player itself."""
        self._timer.stop()
        self.heart.close()
        faulthandler.cancel_dump_traceback_later()
        # Timers of the classes are deleted with their objects.
        self._timer.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    # Playing

    def act(self, do: Callable[..., object], answer: int, values: dict[str, Any]) -> None:
        """Do one action, with all dialogs that it opens; what goes wrong is noted."""
        faulthandler.dump_traceback_later(STUCK_S, exit=True)
        self.answers = Random(answer)
        before = len(self.heart.turns)
        try:
            do(self, **values)
            self.wait(values.get("ms", 1))
        except Fault as fault:
            self.faults.append(str(fault))
        except Exception:
            self.faults.append(traceback.format_exc())
        self.note_lost_moments()
        self.since_open += 1
        turn = max(self.heart.turns[before:], default=0.0)
        self.slowest[do.__name__] = max(self.slowest.get(do.__name__, 0.0), turn)
        self.faults += self.heart.hangs
        self.heart.hangs.clear()

    def note_lost_moments(self) -> None:
        """Undoing everything need not lead to the beginning once moments were let go."""
        stack = self.window.controller.undo_stack.stack
        commands = [stack.command(i) for i in range(stack.count())]
        lost = any(command is not None and command.isObsolete() for command in commands)
        window = self.window
        watch = window.feature(Watching)._watch if window.has_all_features else None
        # What is watched gives the network its weights, which is no change of the user's.
        lost = lost or (watch is not None and watch.is_on)
        if lost or stack.index() < self.base or stack.count() >= stack.undoLimit():
            self.is_whole = False

    # What goes wrong

    def _listen(self) -> None:
        def caught(kind: Any, error: Any, trace: Any) -> None:
            self.faults.append("".join(traceback.format_exception(kind, error, trace)))

        sys.excepthook = caught
        threading.excepthook = lambda args: caught(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        sys.unraisablehook = lambda args: caught(args.exc_type, args.exc_value, args.exc_traceback)

        def said(_kind: object, _place: object, text: str | None) -> None:
            if text and not any(known in text for known in KNOWN):
                self.faults.append(f"Qt says: {text}\n" + "".join(traceback.format_stack()[-8:]))

        qInstallMessageHandler(said)
        shown = warnings.showwarning

        def warned(message: Any, category: Any, name: str, line: int, *rest: Any) -> None:
            shown(message, category, name, line, *rest)
            if "ldam_studio" in name:
                self.faults.append(f"{name}:{line}: {category.__name__}: {message}")

        warnings.showwarning = warned

    @property
    def memory(self) -> float:
        """The memory of this process, in MB."""
        return psutil.Process().memory_info().rss / 2**20

    # Dialogs

    def _answer_dialogs(self) -> None:
        """Answer what asks for a file, or for a yes, without showing it."""

        def a_file(*_: object, **__: object) -> tuple[str, str]:
            return self.some_file(self.answers), ""

        def a_new_file(*_: object, **__: object) -> tuple[str, str]:
            name = f"saved-{self.answers.randrange(30)}"
            return (str(self.files / name) if self.answers.random() < 0.8 else ""), ""

        def a_choice(dialog: QFileDialog) -> bool:
            name = f"saved-{self.answers.randrange(30)}.{dialog.defaultSuffix()}"
            dialog.selectFile(str(self.files / name))
            return self.answers.random() < 0.8

        def a_folder(*_: object, **__: object) -> str:
            return str(self.answers.choice((self.watched, self.files, "")))

        def yes_or_no(*_: object, **__: object) -> QMessageBox.StandardButton:
            button = QMessageBox.StandardButton
            return self.answers.choice((button.Yes, button.No))

        QFileDialog.getOpenFileName = a_file
        QFileDialog.getSaveFileName = a_new_file
        QFileDialog.exec = a_choice
        QFileDialog.getExistingDirectory = a_folder
        QMessageBox.question = yes_or_no

    def _answer(self) -> None:
        """Play with the dialog that waits for an answer, then end it in one of the usual ways."""
        from pokes import poke

        if self._nested > 2:
            return
        self._nested += 1
        try:
            popup = QApplication.activePopupWidget()
            if popup is not None and self.answers.random() < 0.3:
                popup.close()
                return
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QDialog):
                return
            if self.answers.random() < 0.75:
                poke(dialog, self.answers)
            elif self.answers.random() < 0.5:
                dialog.close()
            else:
                keys = (Qt.Key.Key_Escape, Qt.Key.Key_Return)
                QTest.keyClick(dialog, self.answers.choice(keys))
        finally:
            self._nested -= 1

    # Files

    def some_file(self, random: Random) -> str:
        """Return one of the files there are, sometimes none."""
        found = sorted(p for p in (*self.files.iterdir(), *self.watched.iterdir()) if p.is_file())
        return str(random.choice(found)) if random.random() < 0.9 else ""

    def fill(self) -> None:
        """Write the files that a person may open."""
        leave(self.watched, 1)
        leave(self.watched, 2, accuracy=0.9)
        leave(self.files, 300)
        (self.files / "net.py").write_text(NETWORK)
        (self.files / "notes.txt").write_text("no picture")
        (self.files / "empty.png").write_bytes(b"")
        Image.linear_gradient("L").save(self.files / "photograph.jpg")
        Image.new("RGB", (1, 5000)).save(self.files / "line.bmp")
        Image.new("F", (20, 20), float("nan")).save(self.files / "odd.tif")
        (self.files / "half.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")
        (self.files / "half.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
        (self.files / "half.ldam-session").write_bytes(b"PK\x03\x04")
        trainer = self.files / "trainer.py"
        trainer.write_text(TRAINER)
        # A real training is a heavy process; this one waits until it is told to stop.
        process.command = lambda out, **_: [sys.executable, "-I", "-S", str(trainer), str(out)]
