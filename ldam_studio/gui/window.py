"""The window: puts views, model and controller together, and pulls frames."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QEvent, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QApplication, QMainWindow

from ldam_studio.engine.runner import RunState
from ldam_studio.gui import theme
from ldam_studio.gui.actions import make_actions, show_running
from ldam_studio.gui.controller import Controller
from ldam_studio.gui.files import Files
from ldam_studio.gui.menus import Menus, build_toolbar
from ldam_studio.gui.model import Model
from ldam_studio.gui.panels import Panels
from ldam_studio.gui.sessions import EXAMPLES, Opening, start
from ldam_studio.gui.status import (
    average_badges,
    chain_name,
    raw_badges,
    sample_words,
)
from ldam_studio.gui.statusbar import StatusBar

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.machine import Machine
    from ldam_studio.gui.session_store import SessionStore

FRAME_MS = 33
HIDDEN_MS = 500
HIDDEN_RATE = 20  # steps per second while nobody looks
WORDS_S = 0.2  # numbers that change faster cannot be read
PRESENTATION_SCALE = 1.6


class StudioWindow(QMainWindow):
    """The studio.

    Parameters
    ----------
    machine
        Where sessions run.
    store
        Remembers the window and the session; None remembers nothing.
    """

    first_frame = pyqtSignal()

    def __init__(self, machine: Machine, store: SessionStore | None = None) -> None:
        super().__init__()
        self.setObjectName("studio")
        self.setWindowTitle("LDAM Studio")
        self.setWindowIcon(theme.app_icon())
        self.machine = machine
        self.store = store
        self.model = Model(self)
        self.controller = Controller(self.model, self)
        self.panels = Panels()
        self.setCentralWidget(self.panels)
        self.canvas, self.banner = self.panels.canvas, self.panels.banner
        self.strip = self.panels.strip.strip
        self.actions_by_name = make_actions(self, self.canvas)
        self.toolbar = build_toolbar(self, self.actions_by_name)
        self.files = Files(self)
        self.menus = Menus(
            self,
            self.actions_by_name,
            tuple(title for title, _ in EXAMPLES),
            chosen_example=lambda number: self.open(EXAMPLES[number][1](self.machine)),
            chosen_display=self.controller.set_display,
            chosen_theme=self.set_theme,
        )
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.theme_choice = "system"
        self.last_frame: Frame | None = None
        self.frames_shown = 0
        self.hint = ""
        self._words_due = 0.0
        self._counted = (0, time.monotonic())
        self._frame_rate = 0.0
        self._presenting_from: Any = None
        self.plain_geometry = self.saveGeometry()
        self._connect()
        self.menus.follow(self.model)
        self.menus.theme.show(self.theme_choice)
        self.resize(1280, 820)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        self.canvas.setFocus()

    def complete(self) -> None:
        """Make the panels beside the images, once the window is on the screen."""
        if self.panels.controls is not None:
            return
        self.panels.complete()
        panels, controller = self.panels, self.controller
        panels.controls.chosen.connect(controller.set_value)
        panels.controls.gesture.connect(controller.undo_stack.drag)
        panels.picker.chosen.connect(controller.set_neurons)
        panels.learner.learn_every_changed.connect(partial(controller.set_value, "learn_every"))
        panels.learner.revert_requested.connect(controller.revert_discriminator)
        panels.learner.save_requested.connect(self.files.save_discriminator)
        for name in ("next_neuron", "previous_neuron", "random_neuron"):
            self.actions_by_name[name].triggered.connect(getattr(panels.picker, name))
        if self.model.session is not None:
            self._show_session()
        self.panels.make_room()

    def _connect(self) -> None:
        act, controller, model = self.actions_by_name, self.controller, self.model
        slots = {
            "play": controller.toggle,
            "step": controller.step,
            "melt": controller.melt,
            "restart": controller.restart,
            "new_seed": controller.new_seed,
            "reset_average": controller.reset_average,
            "undo": controller.undo,
            "redo": controller.redo,
            "export": self.files.export,
            "open_picture": self.files.ask_for_picture,
            "open_weights": self.files.ask_for_weights,
            "fit": self.canvas.fit,
            "zoom_in": partial(self.canvas.zoom_by, 1),
            "zoom_out": partial(self.canvas.zoom_by, -1),
            "focus_canvas": self.canvas.setFocus,
            "start": lambda: self.open(start(self.machine)),
            "help": self.show_help,
            "quit": self.close,
        }
        for name, slot in slots.items():
            act[name].triggered.connect(lambda _on, slot=slot: slot())
        act["presentation"].toggled.connect(self.present)
        for name in ("neurons", "controls", "traces"):
            act[f"show_{name}"].setChecked(True)
            act[f"show_{name}"].triggered.connect(partial(self._panel_asked, name))
        self.canvas.front_stepped.connect(controller.step_front)
        self.strip.chosen.connect(controller.set_front)
        controller.opening.connect(self._on_opening)
        controller.opened.connect(self._on_opened)
        controller.said.connect(self.say)
        controller.melted.connect(self._on_melted)
        controller.raised_unclamped.connect(self._offer_clamp)
        model.session_changed.connect(self._show_session)
        model.neurons_changed.connect(self._show_neurons)
        model.value_changed.connect(self._show_values)
        model.front_changed.connect(self._show_front)
        model.display_changed.connect(self._show_display)
        model.run_state_changed.connect(self._show_run_state)

    # Sessions

    def open(self, opening: Opening) -> None:
        """Open a session in place of the one that runs."""
        self.controller.open(opening)

    def _on_opening(self, opening: Opening) -> None:
        self.last_frame = None
        self.canvas.clear()
        self.canvas.set_empty(f"Opening “{opening.title}” …", "")
        self.canvas.set_badges((), ())
        self.canvas.set_details("", "")
        self.status.show_nothing(f"opening “{opening.title}”")
        self.banner.clear()
        if opening.note:
            self.banner.say(opening.note, key="note")
        self._set_hint(opening.hint)
        self.canvas.set_empty(f"Opening “{opening.title}” …", "No sample has been averaged yet.")
        self.canvas.setFocus()

    def _on_opened(self, opening: Opening) -> None:
        self.setWindowTitle(f"{opening.title} - LDAM Studio")
        self.canvas.fit()
        if self.panels.traces is not None:
            self.panels.traces.reset()

    def _show_session(self) -> None:
        """Show what belongs to the session as a whole."""
        session, panels = self.model.session, self.panels
        self.status.show_device(_device_words(session.machine))
        if panels.picker is not None:
            panels.picker.set_network(session.network)
            panels.filter.set_network(session.network)
            panels.learner.set_available(
                session.has_discriminator, "This session has no discriminator."
            )
            panels.traces.reset()
        self._show_neurons()
        self._show_values()
        self._show_front(self.model.front)

    def _show_neurons(self) -> None:
        session, network = self.model.session, self.model.session.network
        labels = tuple(_short(network.label(n)) for n in session.neurons)
        tips = tuple(f"chain {i + 1}: {n}" for i, n in enumerate(session.neurons))
        self.strip.set_chains(labels, tips, self.model.rows)
        if self.model.rows:
            self.panels.give_strip(min(420, self.height() // 2))
        if self.panels.picker is not None:
            self.panels.picker.set_neurons(session.neurons)

    def _show_values(self, name: str = "") -> None:
        session, controls = self.model.session, self.panels.controls
        if name == "clamp" and session.settings.clamp:
            self.banner.dismiss("clamp")
        if controls is not None:
            controls.show_values(session.values() if not name else _one(session, name))
            if name in ("", "learn_every"):
                self.panels.learner.set_learn_every(session.learn_every)

    def _show_front(self, index: int) -> None:
        self.panels.strip.set_front(index)
        if self.panels.traces is not None:
            self.panels.traces.set_front(index)
        self._words_due = 0.0

    def _show_display(self) -> None:
        self.menus.follow(self.model)
        if self.last_frame is not None and self.model.session is not None:
            self.canvas.show_frame(
                self.last_frame, self.model.display, self.model.session.network.pixels
            )

    def _show_run_state(self, state: RunState) -> None:
        show_running(self.actions_by_name["play"], state is RunState.RUNNING)
        self._show_badges()

    # Frames

    def tick(self) -> None:
        """Show the latest frame, if there is one."""
        frame = self.controller.take_frame()
        session = self.model.session
        if frame is None or session is None or frame.raw.shape != session.network.pixels.shape:
            return
        first = self.last_frame is None
        self.last_frame = frame
        self.frames_shown += 1
        self.canvas.show_frame(frame, self.model.display, session.network.pixels)
        self.strip.show_thumbnails(frame.thumbnails)
        self._show_badges()
        if self.panels.traces is not None:
            self.panels.traces.add(frame)
        for sentence in frame.notices:
            self.banner.say(sentence, "warning")
        now = time.monotonic()
        if now >= self._words_due:
            self._words_due = now + WORDS_S
            self._show_words(frame, now)
        if first:
            self.first_frame.emit()

    def _show_words(self, frame: Frame, now: float) -> None:
        shown, since = self._counted
        if now - since >= 1.0:
            self._frame_rate = (self.frames_shown - shown) / (now - since)
            self._counted = (self.frames_shown, now)
        session = self.model.session
        self.status.show_frame(frame, self._frame_rate)
        self.canvas.set_details(chain_name(frame), sample_words(frame))
        if self.panels.controls is not None:
            settings = session.settings
            self.panels.controls.show_frame(frame, settings.mode, settings.temperature)
            self.panels.filter.show_frame(frame)
            self.panels.learner.show_frame(frame)

    def _show_badges(self) -> None:
        frame = self.last_frame
        self.canvas.set_badges(raw_badges(frame, self.model.run_state), average_badges(frame))

    # What is said

    def say(self, text: str, kind: str = "info") -> None:
        """Show one sentence, without stopping anything."""
        self.banner.say(text, kind)

    def _set_hint(self, text: str) -> None:
        self.hint = text
        self.canvas.set_hint(text)

    def _on_melted(self) -> None:
        if self.hint:
            self._set_hint("")

    def _offer_clamp(self) -> None:
        self.banner.say(
            "The discriminator has only ever seen pixels between black and white; these chains "
            "leave that range.",
            actions=(("Clamp and show as image", self.controller.clamp_and_show_as_image),),
            key="clamp",
        )

    def show_help(self) -> None:
        """Show what everything does, and the keys."""
        from ldam_studio.gui.help_dialog import HelpDialog

        dialog = HelpDialog(self.actions_by_name.values(), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    # Looks

    def set_theme(self, choice: str) -> None:
        """Choose "system", "dark" or "light"."""
        self.theme_choice = choice
        scale = PRESENTATION_SCALE if self.panels.presenting else 1.0
        theme.apply(QApplication.instance(), choice, scale)
        self.menus.theme.show(choice)

    def present(self, on: bool) -> None:
        """Show large images and type and nothing else, or come back."""
        if on == self.panels.presenting:
            return
        self.panels.presenting = on
        for bar in (self.toolbar, self.menuBar(), self.status):
            bar.setVisible(not on)
        self.set_theme(self.theme_choice)
        if on:
            self._presenting_from = self.windowState()
            self.plain_geometry = self.saveGeometry()
            self.showFullScreen()
        else:
            self.setWindowState(self._presenting_from)
        self.panels.make_room()
        self.canvas.fit()
        self.canvas.setFocus()

    def _panel_asked(self, name: str, on: bool) -> None:
        self.panels.show_panel(name, on)

    # Events

    def keyPressEvent(self, event: QEvent) -> None:
        """Leave the presentation with Esc."""
        if event.key() == Qt.Key.Key_Escape and self.panels.presenting:
            self.actions_by_name["presentation"].setChecked(False)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QEvent) -> None:
        """Hide panels that there is no room for."""
        super().resizeEvent(event)
        self.panels.make_room()
        for name in ("neurons", "controls", "traces"):
            self.actions_by_name[f"show_{name}"].setChecked(self.panels.shows(name))

    def changeEvent(self, event: QEvent) -> None:
        """Spare the machine while minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._rest(self.isMinimized())

    def hideEvent(self, event: QEvent) -> None:
        """Spare the machine while nobody looks."""
        super().hideEvent(event)
        self._rest(True)

    def showEvent(self, event: QEvent) -> None:
        """Go at full speed again."""
        super().showEvent(event)
        self._rest(False)

    def _rest(self, on: bool) -> None:
        self._timer.setInterval(HIDDEN_MS if on else FRAME_MS)
        runner, session = self.controller.runner, self.model.session
        if runner is not None and session is not None:
            chosen = session.max_rate
            slow = min(chosen, HIDDEN_RATE) if chosen else HIDDEN_RATE
            runner.post("max_rate", slow if on else chosen)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the session, stop the sampler, and go."""
        self._timer.stop()
        if self.store is not None:
            self.store.save(self)
        self.controller.close()
        for other in QApplication.topLevelWidgets():
            if other is not self and other.isVisible():
                other.close()
        event.accept()


def _one(session: Any, name: str) -> dict[str, Any]:
    values = session.values()
    return {name: values[name]} if name in values else {}


def _short(label: str) -> str:
    """Return the last part of a long layer address, which is what tells neighbours apart."""
    layer, colon, number = label.rpartition(":")
    return f"{layer.rpartition('.')[2]}{colon}{number}"


def _device_words(machine: Machine) -> str:
    names = {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}
    words = names.get(machine.device, machine.device)
    if machine.precision != "float32":
        words += f" {machine.precision}"
    if machine.device == "cpu":
        words += f", {machine.threads} thread" + ("" if machine.threads == 1 else "s")
    return words
