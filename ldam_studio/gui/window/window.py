"""The main window: connects model, controller, places and features, and fetches frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QAction, QCloseEvent, QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QApplication, QMainWindow

from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.features import FEATURES, Row
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.autosave import Autosave
from ldam_studio.gui.session.controller import Controller
from ldam_studio.gui.session.folder import TemporaryFolder
from ldam_studio.gui.session.frames import Frames
from ldam_studio.gui.session.model import Model
from ldam_studio.gui.session.note import Note
from ldam_studio.gui.session.read_from import ReadFrom
from ldam_studio.gui.session.store import print_unsaved
from ldam_studio.gui.studio import Feature, Studio
from ldam_studio.gui.theme import icons
from ldam_studio.gui.window import memory
from ldam_studio.gui.window.closing import Closing
from ldam_studio.gui.window.entries import VIEW
from ldam_studio.gui.window.pace import Pace
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.places import WindowPlaces
from ldam_studio.gui.window.presentation import Presentation
from ldam_studio.gui.window.presentation_bar import PresentationBar
from ldam_studio.gui.window.sessions import SessionNotices
from ldam_studio.gui.window.status_bar import StatusBar
from ldam_studio.gui.window.view_menu import ViewMenu, add_quit
from ldam_studio.gui.window.views import Views
from ldam_studio.networks.sources.request import RecentNetworks

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.session.store import Recalled, SessionStore

CLOSING = "closing"  # the key of that notice
F = TypeVar("F", bound=Feature)


class StudioWindow(QMainWindow):
    """The main window of the studio.

    Parameters
    ----------
    device
        The device on which sessions run.
    store
        Saves the window's looks and the session between starts; None saves nothing.
    data
        Folder with the real images for a discriminator that learns; None uses the images that come
        with the program.
    """

    def __init__(
        self, device: Device, store: SessionStore | None = None, data: Path | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("studio")
        self.setWindowTitle("LDAM Studio")
        self.setWindowIcon(icons.app_icon())
        self.store = store
        self.model, self.frames = Model(self), Frames(self)
        self.controller = Controller(self.model, self)
        self.autosave: Autosave | None = None
        if store is not None:
            # Before anything else hears of an opening, it notes what the session was like.
            self.autosave = Autosave(self.controller, store.shelf, self._note, self)
        self._folder = TemporaryFolder(self.controller) if self.autosave is None else None
        self.panels = Panels()
        self.setCentralWidget(self.panels)
        self.canvas, self.banner = self.panels.canvas, self.panels.banner
        self.strip = self.panels.strip.strip
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.views = Views(self.model, self.frames, self.panels, self.status, self)
        self.first_frame = self.views.first_frame
        bar = PresentationBar()
        self.places = WindowPlaces(
            self, self.model, self.panels, self.views.show_both_in_strip, bar.add
        )
        self.toolbar = self.places.toolbar
        self._toolbar_width = 0  # its width with texts; a narrower window shows only icons
        folder = None if store is None else store.folder
        self.studio = Studio(
            self.model,
            self.controller,
            self.frames,
            notices=self.banner,
            places=self.places,
            device=device,
            data=data,
            folder=folder,
            shelf=None if store is None else store.shelf,
            session_folder=self._folder or present(self.autosave),
            recent=RecentNetworks(None if folder is None else folder / "networks.json"),
            read_from=ReadFrom(),
            note=self._note,
        )
        self.presentation = Presentation(self, self.toolbar, self.panels, bar)
        self.session_notices = SessionNotices(
            self.controller, self.panels, self.open, self, keeps=store is not None
        )
        if self.autosave is not None:
            self.autosave.failed.connect(self.session_notices.say_not_kept)
            self.autosave.lost.connect(self.session_notices.say_lost)
        self._connect()
        self.closing = Closing(self, self)
        self._is_leaving = False
        self.features: dict[str, Feature] = {}
        self._to_come = [row for row in FEATURES if row.panel]
        self._add_own_entries()
        for row in FEATURES:
            if not row.panel:
                self._add_feature(row)
        named = self.actions_by_name
        bar.fill([named["play"], named["melt"]], named["presentation"])
        self._toolbar_width = self.toolbar.sizeHint().width()
        self.resize(1280, 820)
        self.pace = Pace(self.controller, self.tick, self)
        self.canvas.setFocus()

    # Features

    def _add_own_entries(self) -> None:
        self.places.rank = VIEW
        self.view_menu = ViewMenu(self.places, self.panels, self.frames, self)
        self.view_menu.show_theme(self.presentation.theme_choice)
        self.places.rank = len(FEATURES)
        add_quit(self.places, self.close)

    def _add_feature(self, row: Row) -> None:
        self.places.rank = FEATURES.index(row)
        self.features[row.name] = row.load()(self.studio)

    def _add_next(self) -> None:
        """Make the next feature that has a panel; the event loop runs between two of them."""
        if self._is_leaving or not self._to_come:
            return
        self._add_feature(self._to_come.pop(0))
        self.panels.make_room()
        QTimer.singleShot(0, self._add_next)

    @property
    def has_all_features(self) -> bool:
        """Whether all features are made, also those that are made when the window is shown."""
        return not self._to_come

    def feature(self, kind: type[F]) -> F:
        """Return the feature of this class, which must exist."""
        return next(made for made in self.features.values() if isinstance(made, kind))

    @property
    def actions_by_name(self) -> Mapping[str, QAction]:
        """All actions of the window and its features, by name."""
        return self.places.actions()

    # Sessions

    def open(self, opening: Opening) -> None:
        """Replace the running session by a new one; see `Studio.open`."""
        self.studio.open(opening)

    def _connect(self) -> None:
        controller = self.controller
        controller.opening.connect(self._on_opening)
        controller.opened.connect(self._on_opened)
        self.session_notices.titled.connect(self._show_title)
        self.canvas.front_stepped.connect(controller.step_front)
        self.strip.sized.connect(controller.show_in_strip)
        # If the strip shows several networks, their chains follow those of the first.
        self.strip.chosen.connect(lambda index: controller.set_front(index % self.model.chains))

    def _on_opening(self, opening: Opening) -> None:
        self.views.show_nothing(opening.title)
        self.canvas.setFocus()

    def _on_opened(self, opening: Opening) -> None:
        if opening.layout is not None:
            memory.divide(self.panels, opening.layout)

    def _show_title(self, title: str) -> None:
        self.setWindowTitle(f"{title} \N{EM DASH} LDAM Studio")

    def recall(self) -> Recalled:
        """Restore the last looks, report what could not be read, and return what is remembered."""
        assert self.store is not None
        recalled = self.store.recall(self.studio.device, self.studio.data)
        for sentence in recalled.complaints:
            self.banner.say(sentence, "warning", lasting=True)
        if recalled.looks is not None:
            choice = memory.theme_of(recalled.looks)
            if choice is not None:
                self.set_theme(choice)
            memory.restore(self, self.panels, recalled.looks)
        # Qt restores no geometry of a much larger or smaller screen.
        memory.fit_to_screen(self, self.panels)
        return recalled

    # Frames

    @property
    def last_frame(self) -> Frame | None:
        """The frame that is shown; None while a session opens."""
        return self.frames.last

    def tick(self) -> None:
        """Show the latest frame, if there is one."""
        frame = self.controller.take_frame()
        if frame is not None:
            self.views.show_frame(frame)

    # Looks

    def set_theme(self, choice: str) -> None:
        """Choose "system", "dark" or "light"."""
        self.presentation.set_theme(choice)
        self.view_menu.show_theme(choice)

    def present(self, on: bool) -> None:
        """Switch the presentation mode on or off."""
        self.presentation.show(on)

    # Events

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Leave the presentation with Esc."""
        if present(event).key() == Qt.Key.Key_Escape and self.presentation.is_on:
            self.view_menu.presentation.setChecked(False)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Hide panels for which there is no room."""
        super().resizeEvent(event)
        self.panels.make_room()
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        if self.width() < self._toolbar_width:
            style = Qt.ToolButtonStyle.ToolButtonIconOnly
        self.toolbar.setToolButtonStyle(style)
        self.view_menu.tick_panels()

    def changeEvent(self, event: QEvent | None) -> None:
        """Slow the sampler down while the window is minimised."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.WindowStateChange:
            self.pace.rest(self.isMinimized())

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Slow the sampler down while the window is hidden."""
        super().hideEvent(event)
        self.pace.rest(True)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Restore the sampler's speed; make the remaining features at the first call."""
        super().showEvent(event)
        self.pace.rest(False)
        QTimer.singleShot(0, self._add_next)

    # The end

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Save the session and stop the sampler, or wait for a long step and close later."""
        if not self.closing.may_go():
            present(event).ignore()
            return
        self.controller.close()
        for feature in self.features.values():
            feature.close()
        if self._folder is not None:
            self._folder.close()
        for other in QApplication.topLevelWidgets():
            if other is not self and other.isVisible():
                other.close()
        present(event).accept()

    def say_unfinished(self) -> bool:
        """Say what closing would stop; return False if there is nothing, or it is said already."""
        for feature in self.features.values():
            said = feature.unfinished()
            if said and said not in self.banner.texts():
                offers = (("Close the Studio", self.closing.at_once),)
                self.banner.say(said, "warning", offers)
                self.view_menu.presentation.setChecked(False)  # which hides such messages
                return True
        return False

    def begin_to_close(self) -> Future[SessionState] | None:
        """Start nothing new, pause the chains, and ask for the session to save it."""
        self._is_leaving = True
        self.pace.stop()
        for feature in self.features.values():
            feature.leave()
        if self.store is None:
            return None
        # The current step is the last one: the question is answered right after it.
        self.controller.pause()
        return self.controller.ask(snapshot)

    def wait_to_close(self) -> None:
        """Say that the window closes after the current step, and disable everything but Quit."""
        self._only_quit(
            "The studio closes once the current step has ended and the session is saved; close it "
            "again to leave without saving."
        )

    def _only_quit(self, why: str) -> None:
        """Disable everything but Quit, and say why: a change would come too late to be saved."""
        self.banner.say(why, "warning", key=CLOSING)
        for part in (present(self.menuBar()), self.toolbar, self.panels.across):
            part.setEnabled(False)
        for name, action in self.actions_by_name.items():
            action.setEnabled(name == "quit")

    def end_closing(
        self, answer: Future[SessionState] | None, unsaved: str, *, for_good: bool
    ) -> bool:
        """Hide the window, and save the session or the reason why it is not saved.

        If its file cannot be written, show the window again, unless this is `for_good`.
        """
        if self.store is None or self.autosave is None:
            return True
        looks = memory.looks_of(self.panels, self.presentation)
        # Writing may take a while; the user need not see the window meanwhile.
        self.hide()
        try:
            self.store.save_looks(looks, self.autosave.end(answer, unsaved, for_good=for_good))
        except StudioError as error:
            self.session_notices.say_no_more_of_saving()
            self._only_quit(
                f"The session was not saved: {error} Close the window again once it can be, or to "
                "leave without it."
            )
            self.show()
            return False
        return True

    def _note(self) -> Note:
        """Return a note about the current session, with what the features remember."""
        kept = {}
        for name, feature in self.features.items():
            try:
                kept[name] = dict(feature.remember())
            except StudioError as error:
                print_unsaved(str(error))
        layout = memory.layout_of(self.panels)
        return Note.of(self.model, self.session_notices.hint, kept, layout)
