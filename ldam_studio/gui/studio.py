"""The port between the window and its features.

A `Feature` receives a `Studio`: the session, the message bar and the places for its actions and
panels. It imports this file, the session (`gui.session`) and shared widgets, but neither the
window nor another feature. `gui.features` lists all features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from PyQt6.QtGui import QAction
    from PyQt6.QtWidgets import QMenu, QWidget

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.explore.real_images.naming import Namer
    from ldam_studio.gui.session.controller import Controller
    from ldam_studio.gui.session.folder import SessionFolder
    from ldam_studio.gui.session.frames import Frames
    from ldam_studio.gui.session.model import Model
    from ldam_studio.gui.session.note import Note
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.session.read_from import ReadFrom
    from ldam_studio.gui.session.shelf import Shelf
    from ldam_studio.gui.theme.paint import Badge
    from ldam_studio.networks.sources.request import RecentNetworks

Kind = Literal["info", "warning", "danger"]
Offers = Iterable[tuple[str, Callable[[], object]]]
Menu = Literal["File", "Edit", "Run", "Presets", "Neuron", "Explore", "Compare", "View", "Help"]
Dragged = Literal["raw", "average"]
Side = Literal["neurons", "controls", "traces"]


@dataclass(frozen=True)
class Entry:
    """Describes one action of a menu or the toolbar.

    Parameters
    ----------
    name
        Unique name by which code finds the action, see `Places.actions`.
    text
        Text of the menu entry.
    key
        Keyboard shortcut; empty for none.
    tip
        What the action does, in a few words, for tool tips and the list of keys.
    icon
        Name of its icon in `theme.icons`; empty for none.
    label
        Shorter text for the toolbar; empty uses `text`.
    canvas
        Whether the shortcut works only while the images have the keyboard focus, so that letters
        can be typed elsewhere.
    checkable
        Whether the action is switched on and off.
    first
        Whether the shortcut works whatever has the focus, also a text field that knows the key.
    needs_session
        Whether the action is disabled until the first session is open.
    """

    name: str
    text: str
    key: str = ""
    tip: str = ""
    icon: str = ""
    label: str = ""
    canvas: bool = False
    checkable: bool = False
    needs_session: bool = False
    first: bool = False


class Notices(Protocol):
    """The message bar: shows messages inside the window without blocking it."""

    def say(
        self,
        text: str,
        kind: Kind = "info",
        actions: Offers = (),
        key: str = "",
        *,
        lasting: bool = False,
    ) -> None:
        """Show a message.

        Parameters
        ----------
        text
            One plain sentence: what happened, where, and what to do.
        kind
            Severity; each kind has an icon and a colour.
        actions
            Buttons, as pairs of a label and a function to call; pressing one closes the message.
        key
            Identifies the message; it replaces an earlier message with the same key.
        lasting
            Whether the message stays until the next session is open, because it concerns that one.
        """

    def retell(self, key: str, text: str) -> None:
        """Replace the text of the message with this key, if it is still shown."""

    def dismiss(self, key: str) -> None:
        """Close the message with this key, if it is shown."""


class Places(Protocol):
    """The places in the window for a feature's actions, menu entries, panels and bars.

    Menus, the toolbar and the list of keys follow the order of `features.FEATURES`.
    """

    @property
    def root(self) -> QWidget:
        """The parent for dialogs and for objects that live as long as the window."""

    def action(self, entry: Entry, act: Callable[[], object] | None = None) -> QAction:
        """Make an action and return it; it calls `act`, if given, whenever it is triggered."""

    def actions(self) -> Mapping[str, QAction]:
        """Return the actions of all features, by the names of their entries."""

    def menu(self, name: Menu) -> QMenu:
        """Return a menu, for a feature that fills the whole menu itself."""

    def add_to_menu(self, name: Menu, *items: QAction) -> None:
        """Add one section to a menu."""

    def add_to_toolbar(self, *actions: QAction) -> None:
        """Add one group of buttons to the toolbar."""

    def end_toolbar(self, widget: QWidget) -> None:
        """Put a widget at the right end of the toolbar."""

    def add_panel(self, side: Side, panel: QWidget, *, first: bool = False) -> None:
        """Add a finished panel to one side, below the panels already there, or above if `first`."""

    def show_panel(self, side: Side) -> None:
        """Show the panels of one side, because the user asked for one of them."""

    def add_tab(self, title: str, panel: QWidget) -> None:
        """Add a finished panel below the images, as a tab; only the chosen tab is visible."""

    def show_tab(self, panel: QWidget) -> None:
        """Show the panel of a tab, because the user asked for it."""

    def add_to_image_menu(self, *actions: QAction) -> None:
        """Add actions to the menu that a right click on the images opens."""

    def on_image_dragged(self, act: Callable[[Dragged], object]) -> None:
        """Register what is called when the user drags an image out of the window."""

    def light_up(self, on: bool) -> None:
        """Show whether a file that is dragged over the window can be dropped."""

    def add_to_presentation(self, widget: QWidget) -> None:
        """Add a widget to the slim bar that a presentation shows."""

    def add_to_status(self, widget: QWidget) -> None:
        """Add a widget to the status bar, left of the figures."""

    def cover(self, widget: QWidget | None) -> None:
        """Lay a widget over the images, in place of one that lies there; None lays nothing."""

    def fill(self, widget: QWidget | None) -> None:
        """Put a widget in the place of images and strip; None shows these again.

        The widget stays alive, and has the focus whenever the images would have it.
        """

    def add_bar(self, bar: QWidget, *, above: bool) -> None:
        """Add a bar directly above or below the images."""

    def show_average_badge(self, name: str, badge: Badge | None) -> None:
        """Show the badge of this name beside the title of the first average; None: none."""

    def show_two_rows(self, on: bool) -> None:
        """Give the images more height for two rows, or go back to the height of one row."""

    def show_both_in_strip(self, on: bool) -> None:
        """Show the chains of both networks in the strip, or only those of the first."""


@dataclass
class Studio:
    """Everything that a feature is given.

    Parameters
    ----------
    model
        The state of the session as the window shows it; read only.
    controller
        Changes the session.
    frames
        Emits the frames that the session produces.
    notices
        The message bar.
    places
        The places for actions, menu entries, panels and bars.
    device
        The device on which sessions run.
    data
        Folder of the data sets; None searches the usual folders.
    folder
        Folder for files that features keep between starts; None to keep no files.
    shelf
        The sessions that are kept; None to keep none.
    session_folder
        The folder for files that belong to the current session. It is kept with the session where
        there is a shelf, else it is a temporary one.
    recent
        The list of recently opened networks.
    read_from
        The checkpoints from which each network was read, where known.
    note
        Returns how the window shows the current session.
    start_folder
        Where dialogs that open a file start: where the last picture went, or the last file was.
    """

    model: Model
    controller: Controller
    frames: Frames
    notices: Notices
    places: Places
    device: Device
    data: Path | None
    folder: Path | None
    shelf: Shelf | None
    session_folder: SessionFolder
    recent: RecentNetworks
    read_from: ReadFrom
    note: Callable[[], Note]
    start_folder: str = ""

    def __post_init__(self) -> None:
        self._gates: list[Callable[[Opening], bool]] = []
        self._takers: list[Callable[[Path], object]] = []
        self._namers: list[Callable[[], Namer | None]] = []
        self.show_help: Callable[[str], object] = lambda _page: None
        """Shows the page of the guide with this title; the help feature provides it."""
        self.show_atlas: Callable[[Path], object] = lambda _folder: None
        """Shows the atlas in a folder; the feature of atlases provides it."""
        self.show_picture: Callable[[Path], object] = lambda _path: None
        """Shows an exported picture and offers its session; the opening feature provides it."""
        self.picture_opening: Callable[[Path], Opening | None] = lambda _path: None
        """Returns how to open the session of an exported picture from its start, on any thread; it
        raises `StudioError` if the file is none. The opening feature provides it."""
        self.listed_layer: Callable[[], str] = lambda: self.model.acted.neurons[0].layer
        """Names the layer whose neurons are listed; the picker provides it."""

    def open(self, opening: Opening) -> None:
        """Replace the running session by a new one, unless a feature takes the opening over."""
        if not any(takes_over(opening) for takes_over in self._gates):
            self.controller.open(opening)

    def name_real_images(self, namer: Callable[[], Namer | None]) -> None:
        """Register what knows the real images of the network that is acted on, if there are any."""
        self._namers.append(namer)

    def nearest_real(self) -> Namer | None:
        """Return what names real images, on a thread; the same one as long as these are."""
        return next((found for namer in self._namers if (found := namer()) is not None), None)

    def take_photographs(self, take: Callable[[Path], object]) -> None:
        """Register what is called with a photograph that the user opens; it may raise."""
        self._takers.append(take)

    def bring_photograph(self, path: Path) -> None:
        """Show a photograph.

        Raises
        ------
        StudioError
            If no session is open.
        """
        for take in self._takers:
            take(path)

    def before_opening(self, takes_over: Callable[[Opening], bool]) -> None:
        """Register a function that sees every opening before it starts.

        It returns True to take the opening over, and opens the session itself later.
        """
        self._gates.append(takes_over)


class Feature:
    """Base class of all features. A feature is complete once its constructor has returned."""

    entries: ClassVar[tuple[Entry, ...]] = ()
    """Its actions, for the list of keys; the constructor adds them to the places."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def remember(self) -> Mapping[str, Any]:
        """Return JSON values to remember until the next start; called while the window closes.

        The next start passes them in `Opening.remembered`, under the feature's name.

        Raises
        ------
        StudioError
            If the feature writes a file of its own and that fails.
        """
        return {}

    def unfinished(self) -> str:
        """Return a sentence about long work that closing the studio would stop; empty for none.

        The user is asked once for each sentence, so it does not say how far the work is. The
        feature dismisses the message with this text when the work ends.
        """
        return ""

    def leave(self) -> None:
        """Ask all tasks of the feature to end, and start no new ones; returns at once."""

    def close(self) -> None:
        """Wait until all threads and processes of the feature have ended."""
