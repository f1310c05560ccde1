"""The port: what a feature of the window is given, and where it puts what it makes.

A feature knows this file, the session (`gui.session`) and shared widgets. It knows neither the
window nor another feature; `gui.features` lists them all.
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
    from ldam_studio.gui.session.controller import Controller
    from ldam_studio.gui.session.frames import Frames
    from ldam_studio.gui.session.model import Model
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.session.read_from import ReadFrom
    from ldam_studio.networks.sources.request import RecentNetworks

Kind = Literal["info", "warning", "danger"]
Offers = Iterable[tuple[str, Callable[[], object]]]
Menu = Literal["File", "Edit", "Run", "Presets", "Neuron", "Compare", "View", "Help"]
Side = Literal["neurons", "controls", "traces"]


@dataclass(frozen=True)
class Entry:
    """One action: what it is called in a menu, its key, and what it does in a few words.

    Parameters
    ----------
    name
        What other code calls it; no two entries have the same.
    text
        As in a menu; a short `label` may stand in the toolbar.
    key
        Its shortcut. With `canvas` it acts only while the images have the focus, so that letters
        can be typed elsewhere.
    """

    name: str
    text: str
    key: str = ""
    tip: str = ""
    icon: str = ""
    label: str = ""
    canvas: bool = False
    checkable: bool = False


class Notices(Protocol):
    """Plain sentences inside the window, which never block it."""

    def say(
        self,
        text: str,
        kind: Kind = "info",
        actions: Offers = (),
        key: str = "",
        *,
        lasting: bool = False,
    ) -> None:
        """Show a sentence.

        Parameters
        ----------
        text
            One plain sentence: what, where, what to do.
        kind
            How much it matters; each kind has a sign and a colour.
        actions
            Pairs of a button's label and what it does; a pressed button also closes the sentence.
        key
            A sentence with the same key takes the place of the one before.
        lasting
            Whether the sentence is about the session that is to open, and stays until it has.
        """

    def retell(self, key: str, text: str) -> None:
        """Put other words into the sentence of that key, if it is still there."""

    def dismiss(self, key: str) -> None:
        """Close the sentence of that key, if it is there."""


class Places(Protocol):
    """Where a feature puts its actions, menu entries, panels and bars.

    The order of the features is the order in every menu, in the toolbar and in the list of keys.
    """

    @property
    def root(self) -> QWidget:
        """The parent of dialogs, and of objects that live as long as the window."""

    def action(self, entry: Entry, act: Callable[[], object] | None = None) -> QAction:
        """Make an action that calls `act`, if given, when a person triggers it."""

    def actions(self) -> Mapping[str, QAction]:
        """Return all actions by name, those of other features included."""

    def menu(self, name: Menu) -> QMenu:
        """Return a menu that a feature fills by itself."""

    def add_to_menu(self, name: Menu, *items: QAction) -> None:
        """Add one section to a menu."""

    def add_to_toolbar(self, *actions: QAction) -> None:
        """Add one group of buttons to the toolbar."""

    def end_toolbar(self, widget: QWidget) -> None:
        """Put a widget at the right end of the toolbar."""

    def add_panel(self, side: Side, panel: QWidget, *, first: bool = False) -> None:
        """Put a finished panel beside the images, below those that are there, or above them."""

    def show_panel(self, side: Side) -> None:
        """Show the panels of a side, because a person asked for one."""

    def add_bar(self, bar: QWidget, *, above: bool) -> None:
        """Put a bar directly above or below the images."""

    def show_two_rows(self, on: bool) -> None:
        """Give two rows of images more room, or one row what it had."""

    def show_both_in_strip(self, on: bool) -> None:
        """Show the chains of both networks in the strip, or those of the first alone."""


@dataclass
class Studio:
    """What a feature is given.

    Parameters
    ----------
    model, controller, frames
        What is shown of the session, what changes it, and the pictures that come from it.
    notices, places
        Where sentences, and where actions, menus, panels and bars go.
    device
        Where sessions run.
    data
        Folder of the data sets; None looks where they usually lie.
    folder
        Where features may keep files from one start to the next; None keeps nothing.
    recent
        The networks that were opened last.
    read_from
        Which checkpoints a network was read from, where that is known.
    """

    model: Model
    controller: Controller
    frames: Frames
    notices: Notices
    places: Places
    device: Device
    data: Path | None
    folder: Path | None
    recent: RecentNetworks
    read_from: ReadFrom

    def __post_init__(self) -> None:
        self._gates: list[Callable[[Opening], bool]] = []

    def open(self, opening: Opening) -> None:
        """Open a session in place of the one that runs, once what it needs is there."""
        if not any(takes_over(opening) for takes_over in self._gates):
            self.controller.open(opening)

    def before_opening(self, takes_over: Callable[[Opening], bool]) -> None:
        """Have every opening shown to a feature first; it may take over, and open it later."""
        self._gates.append(takes_over)


class Feature:
    """Base of all features. A feature is made from the port and is complete once it is made."""

    entries: ClassVar[tuple[Entry, ...]] = ()
    """Its actions, for the list of keys; the feature adds them to the places itself."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def remember(self) -> Mapping[str, Any]:
        """Return, in JSON's types, what the next start should know; called while closing.

        It is found there in `Opening.remembered` under the feature's name.

        Raises
        ------
        StudioError
            If a file of the feature's own cannot be written.
        """
        return {}

    def leave(self) -> None:
        """Ask everything that was started to end, and begin nothing new; returns at once."""

    def close(self) -> None:
        """Wait until all threads and processes of the feature have ended."""
