"""The window: puts views, model and controller together, and pulls frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QApplication, QMainWindow

from ldam_studio.gui.compare.compare import Comparing
from ldam_studio.gui.opening.files import Files
from ldam_studio.gui.session.controller import Controller
from ldam_studio.gui.session.model import Model
from ldam_studio.gui.session.openings import EXAMPLES, Opening, start
from ldam_studio.gui.settings.presets_menu import PresetsMenu
from ldam_studio.gui.theme import icons, theme
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.gui.window.actions import make_actions
from ldam_studio.gui.window.closing import Closing
from ldam_studio.gui.window.drop import FileDrop
from ldam_studio.gui.window.menus import Menus, build_toolbar
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.status_bar import StatusBar
from ldam_studio.gui.window.views import Views
from ldam_studio.user_presets import UserPresets

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.opening.download_first import DownloadFirst
    from ldam_studio.gui.session.store import SessionStore

FRAME_MS = 33
COMPARE_MS = 50  # a frame of two networks costs more, and each of their steps takes twice as long
HIDDEN_MS = 500
HIDDEN_RATE = 20  # steps per second while nobody looks
PRESENTATION_SCALE = 1.6
LISTS = ("list_neurons", "list_feeding", "list_starred", "list_recent")


class StudioWindow(QMainWindow):
    """The studio.

    Parameters
    ----------
    device
        Where sessions run.
    store
        Remembers the window and the session; None remembers nothing.
    data
        Where real images are read for a discriminator that goes on learning; None is the sample
        that comes with the program.
    """

    def __init__(
        self,
        device: Device,
        store: SessionStore | None = None,
        data: Path | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("studio")
        self.setWindowTitle("LDAM Studio")
        self.setWindowIcon(icons.app_icon())
        self.device = device
        self.store, self.data = store, data
        self.model = Model(self)
        self.controller = Controller(self.model, self)
        self.panels = Panels()
        self.setCentralWidget(self.panels)
        self.canvas, self.banner = self.panels.canvas, self.panels.banner
        self.strip = self.panels.strip.strip
        self.actions_by_name = make_actions(self, self.canvas)
        self.toolbar = build_toolbar(self, self.actions_by_name)
        # With words beside the icons; a narrower window shows the icons alone.
        self.toolbar_width = 0
        self.files = Files(self)
        FileDrop(self, self.files.open_or_raise, lambda text: self.say(text, "danger"))
        self.menus = Menus(
            self,
            self.toolbar,
            self.actions_by_name,
            tuple(title for title, _ in EXAMPLES),
            recent=self.files.recent_networks,
            chosen_recent=self.files.ask_for_network,
            chosen_example=lambda number: self.open(EXAMPLES[number][1](self.device, self.data)),
            chosen_display=self.controller.set_display,
            chosen_theme=self.set_theme,
        )
        self.user_presets = UserPresets(None if store is None else store.folder)
        self.presets = PresetsMenu(
            self.model,
            self.user_presets,
            self.controller.apply_preset,
            (self.actions_by_name["edit_presets"],),
            lambda text: self.say(text, "warning"),
            self,
        )
        self.presets.attach(self.menus.presets)
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.views = Views(
            self.model,
            self.panels,
            self.status,
            self.menus,
            self.actions_by_name["play"],
            self,
        )
        self.first_frame = self.views.first_frame
        self.watching = Watching(self)
        self.comparing = Comparing(self)
        self.closing = Closing(self)
        self.download_first: DownloadFirst | None = None
        self.theme_choice = "system"
        self.hint = ""
        self._presenting_from: Any = None
        self._plain_heights: list[int] = []
        self.plain_geometry = self.saveGeometry()
        self._connect()
        self.menus.follow(self.model)
        self.menus.theme.show(self.theme_choice)
        self.toolbar_width = self.toolbar.sizeHint().width()
        self.resize(1280, 820)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        self._resting = False
        self.model.comparison_changed.connect(self._pace)
        self.model.session_changed.connect(self._pace)
        self.canvas.setFocus()

    def complete(self) -> None:
        """Make the panels beside the images, once the window is on the screen."""
        if self.panels.controls is not None:
            return
        self.panels.complete()
        panels, controller = self.panels, self.controller
        panels.controls.chosen.connect(controller.set_value)
        panels.controls.gesture.connect(controller.undo_stack.drag)
        panels.controls.presets.setMenu(self.menus.presets)
        panels.controls.gesture_resumed.connect(controller.undo_stack.resume)
        panels.picker.chosen.connect(controller.set_neurons)
        panels.learner.learn_every_changed.connect(partial(controller.set_value, "learn_every"))
        panels.learner.revert_requested.connect(controller.revert_discriminator)
        panels.learner.save_requested.connect(self.files.save_discriminator)
        self.watching.complete()
        if self.store is not None:
            panels.picker.remember(self.store.neurons_file)
        for name in ("next_neuron", "previous_neuron", "random_neuron", "star_neuron"):
            self.actions_by_name[name].triggered.connect(getattr(panels.picker, name))
        for number, name in enumerate(LISTS):
            self.actions_by_name[name].triggered.connect(
                lambda _on, number=number: self._show_list(number)
            )
        self.actions_by_name["find_neuron"].triggered.connect(self._find_neuron)
        if self.model.session is not None:
            self.views.show_session()
        else:
            self.views.show_no_curves()
        self.panels.make_room()

    def _connect(self) -> None:
        act, controller = self.actions_by_name, self.controller
        slots = {
            "play": controller.toggle,
            "step": controller.step,
            "melt": controller.melt,
            "restart": controller.restart,
            "new_seed": controller.new_seed,
            "reset_average": controller.reset_average,
            "undo": controller.undo,
            "redo": controller.redo,
            "edit_presets": self.edit_presets,
            "export": self.files.export,
            "open_network": self.files.ask_for_network,
            "open_picture": self.files.ask_for_picture,
            "open_weights": self.files.ask_for_weights,
            "open_discriminator": self.files.ask_for_discriminator,
            **self.comparing.entries,
            "watch": self.watching.ask,
            "watch_mnist": self.watching.train,
            "fit": self.canvas.fit,
            "zoom_field": self.zoom_to_field,
            "zoom_in": partial(self.canvas.zoom_by, 1),
            "zoom_out": partial(self.canvas.zoom_by, -1),
            "focus_canvas": self.canvas.setFocus,
            "start": lambda: self.open(start(self.device, self.data)),
            "help": self.show_help,
            "quit": self.close,
        }
        for name, slot in slots.items():
            act[name].triggered.connect(lambda _on, slot=slot: slot())
        stack = controller.undo_stack.stack
        for name, can, text in (
            ("undo", stack.canUndoChanged, stack.undoTextChanged),
            ("redo", stack.canRedoChanged, stack.redoTextChanged),
        ):
            word = act[name].text()
            act[name].setData(word)  # what Help calls it, whatever would be undone now
            act[name].setEnabled(False)
            can.connect(act[name].setEnabled)
            text.connect(
                lambda what, action=act[name], word=word: action.setText(f"{word} {what}".rstrip())
            )
        act["presentation"].toggled.connect(self.present)
        act["strip_both"].toggled.connect(self.views.show_both_in_strip)
        for name in ("neurons", "controls", "traces"):
            act[f"show_{name}"].setChecked(True)
            act[f"show_{name}"].triggered.connect(partial(self._panel_asked, name))
        self.panels.changed.connect(self._tick_panels)
        self.canvas.front_stepped.connect(controller.step_front)
        # The second network's chains, where the strip has them, follow the first one's.
        self.strip.chosen.connect(lambda index: controller.set_front(index % self.model.chains))
        controller.opening.connect(self._on_opening)
        # A hint at what can be done comes once it can be.
        controller.opened.connect(lambda opening: self._set_hint(opening.hint))
        controller.opened.connect(lambda _opening: self.banner.settle())
        for changed in (self.model.session_changed, self.model.weights_changed):
            changed.connect(lambda: self._show_title(self.model.whole_title))
        controller.said.connect(self.say)
        controller.spread_told.connect(self._say_spread)
        controller.melted.connect(self._on_melted)
        controller.raised_unclamped.connect(self._offer_clamp)

    # Sessions

    def open(self, opening: Opening) -> None:
        """Open a session in place of the one that runs, once what it needs is there."""
        if opening.published:
            from ldam_studio.gui.opening.download_first import DownloadFirst

            self.download_first = self.download_first or DownloadFirst(self)
            self.download_first.open(opening)
            return
        if self.download_first is not None:
            self.download_first.leave()
        self.controller.open(opening)

    def _on_opening(self, opening: Opening) -> None:
        self.views.show_nothing(opening.title)
        self.banner.clear()
        if opening.note:
            back = self.controller.way_back
            offers = [] if back is None else [(f"Back to {back.title}", partial(self.open, back))]
            if opening.offered is not None:
                offers.append(("Go on with it", partial(self.open, opening.offered)))
            self.banner.say(opening.note, actions=offers, key="note")
        self._set_hint("")
        self._show_title(opening.title)
        self.canvas.setFocus()

    def _show_title(self, title: str) -> None:
        self.setWindowTitle(f"{title} \N{EM DASH} LDAM Studio")

    # Frames

    @property
    def last_frame(self) -> Frame | None:
        """The frame on the screen."""
        return self.views.last_frame

    @property
    def frames_shown(self) -> int:
        """How many frames were shown so far."""
        return self.views.frames_shown

    def tick(self) -> None:
        """Show the latest frame, if there is one."""
        frame = self.controller.take_frame()
        if frame is not None:
            self.views.show_frame(frame)

    # What is said

    def say(self, text: str, kind: str = "info") -> None:
        """Show one sentence, without stopping anything."""
        self.banner.say(text, kind)

    def _say_spread(self, sentence: str) -> None:
        """Say which neurons of a layer are shown, in the place of what was said of another."""
        if sentence:
            self.banner.say(sentence, key="spread")
        else:
            self.banner.dismiss("spread")

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
        from ldam_studio.gui.help.dialog import HelpDialog

        dialog = self.findChild(HelpDialog)
        if dialog is None:
            dialog = HelpDialog(self)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def zoom_to_field(self) -> None:
        """Let what the front neuron sees fill the view, or show the whole image again."""
        frame = self.last_frame
        if not self.canvas.zoom_to_field() and frame is not None:
            neuron = frame.neurons[frame.front]
            self.say(f"{neuron} sees the whole image; there is no part to zoom to.", "info")

    def edit_presets(self) -> None:
        """Save the settings of this moment as a preset; rename and delete presets."""
        from ldam_studio.gui.settings.presets_dialog import ask_about_presets

        session = self.model.session
        if session is not None:
            ask_about_presets(self, self.user_presets, session.chain_values())

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
        self.banner.show_only_errors(on)
        self.set_theme(self.theme_choice)
        if on:
            self._presenting_from = self.windowState()
            self._plain_heights = self.panels.middle.sizes()
            self.plain_geometry = self.saveGeometry()
            self.showFullScreen()
        else:
            self.setWindowState(self._presenting_from)
        self.panels.make_room()
        if on:
            self.panels.give_strip(self.height() // 7)
        else:
            self.panels.middle.setSizes(self._plain_heights)
        self.canvas.fit()
        self.canvas.setFocus()

    def _find_neuron(self) -> None:
        self.panels.show_panel("neurons", True)
        self.panels.picker.focus_search()

    def _show_list(self, number: int) -> None:
        self.panels.show_panel("neurons", True)
        self.panels.picker.show_list(number)

    def _tick_panels(self) -> None:
        for name in ("neurons", "controls", "traces"):
            self.actions_by_name[f"show_{name}"].setChecked(self.panels.shows(name))

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
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        if self.width() < self.toolbar_width:
            style = Qt.ToolButtonStyle.ToolButtonIconOnly
        self.toolbar.setToolButtonStyle(style)
        self._tick_panels()

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
        self._resting = on
        self._pace()
        runner, session = self.controller.runner, self.model.session
        if runner is not None and session is not None:
            chosen = session.max_rate
            slow = min(chosen, HIDDEN_RATE) if chosen else HIDDEN_RATE
            runner.post("max_rate", slow if on else chosen)

    @property
    def frame_ms(self) -> int:
        """How long the window waits before it asks for the next frame."""
        return self._timer.interval()

    def _pace(self) -> None:
        session = self.model.session
        compares = session is not None and session.second is not None
        shown = COMPARE_MS if compares else FRAME_MS
        self._timer.setInterval(HIDDEN_MS if self._resting else shown)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the session, stop the sampler, and go; that may have to wait for a long step."""
        if not self.closing.may_go():
            event.ignore()
            return
        self.controller.close()
        self.watching.close()
        for other in QApplication.topLevelWidgets():
            if other is not self and other.isVisible():
                other.close()
        event.accept()

    def leave_all(self) -> None:
        """Begin nothing new: no frames, downloads, checkpoints or training; returns at once."""
        self._timer.stop()
        if self.download_first is not None:
            self.download_first.leave()
        self.watching.leave()

    def say_closing(self, key: str) -> None:
        """Say that the window goes once the step under way has ended, and take no orders."""
        self.banner.say(
            "The studio closes once the step under way has ended and the session is saved; close "
            "it again to leave without that.",
            "warning",
            key=key,
        )
        # What would be changed now would come too late.
        acts = [act for name, act in self.actions_by_name.items() if name != "quit"]
        for part in (self.menuBar(), self.toolbar, self.panels.across, *acts):
            part.setEnabled(False)
