"""The window's own actions: zoom, panels, theme, presentation, and Quit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PyQt6.QtWidgets import QMenu

from ldam_studio.gui.choice import Choice
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.frames import Frames
from ldam_studio.gui.studio import Entry, Side
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.places import WindowPlaces

THEMES = (("&Follow the System", "system"), ("&Dark", "dark"), ("&Light", "light"))
FIT = Entry("fit", "Fit Images", "F", "Show the whole images", "fit", "Fit", canvas=True)
ZOOM_FIELD = Entry(
    "zoom_field",
    "Zoom to Receptive Field",
    "Z",
    "Zoom to the part of the image that the neuron sees; once more: the whole image",
    canvas=True,
)
ZOOM_IN = Entry("zoom_in", "Zoom In", "Ctrl++", "Enlarge the images")
ZOOM_OUT = Entry("zoom_out", "Zoom Out", "Ctrl+-", "Shrink the images")
FOCUS = Entry("focus_canvas", "Go to the Images", "Ctrl+0", "Give the images the keyboard focus")
PANELS: dict[Side, Entry] = {
    "neurons": Entry(
        "show_neurons", "Neurons", "Ctrl+1", "Show or hide the neuron picker", checkable=True
    ),
    "controls": Entry(
        "show_controls", "Settings", "Ctrl+2", "Show or hide the settings", checkable=True
    ),
    "traces": Entry("show_traces", "Traces", "Ctrl+3", "Show or hide the traces", checkable=True),
}
PRESENTATION = Entry(
    "presentation",
    "Presentation",
    "F11",
    "Show the images with large text and the main settings; Esc ends it",
    "presentation",
    "Present",
    checkable=True,
)
ENTRIES = (FIT, ZOOM_FIELD, ZOOM_IN, ZOOM_OUT, FOCUS, *PANELS.values(), PRESENTATION)
QUIT = Entry("quit", "Quit", "Ctrl+Q", "Save the session and close")


class Looks(Protocol):
    """What the View menu needs of the window."""

    def present(self, on: bool) -> None:
        """Switch the presentation mode on or off."""

    def set_theme(self, choice: str) -> None:
        """Choose "system", "dark" or "light"."""


class ViewMenu:
    """Adds the window's own entries to the View menu and the toolbar."""

    def __init__(self, places: WindowPlaces, panels: Panels, frames: Frames, window: Looks) -> None:
        canvas, self._panels, self._frames = panels.canvas, panels, frames
        fit = places.action(FIT, canvas.fit)
        places.add_to_menu(
            "View",
            fit,
            places.action(ZOOM_FIELD, self._zoom_to_field),
            places.action(ZOOM_IN, partial(canvas.zoom_by, 1)),
            places.action(ZOOM_OUT, partial(canvas.zoom_by, -1)),
            places.action(FOCUS, canvas.setFocus),
        )
        self._shown = {side: places.action(entry) for side, entry in PANELS.items()}
        for side, action in self._shown.items():
            action.setChecked(True)
            action.triggered.connect(partial(panels.show_panel, side))
        self.presentation = places.action(PRESENTATION)
        self.presentation.toggled.connect(window.present)
        self.presentation.toggled.connect(
            lambda on: self.presentation.setIconText("Leave" if on else str(PRESENTATION.label))
        )
        places.add_to_menu("View", *self._shown.values(), self.presentation)
        menu = QMenu("&Theme", places.root)
        self._theme = Choice(menu, THEMES, window.set_theme)
        menu.addActions(self._theme.actions)
        places.add_to_menu("View", present(menu.menuAction()))
        places.add_to_toolbar(fit, self.presentation)
        panels.changed.connect(self.tick_panels)

    def _zoom_to_field(self) -> None:
        frame = self._frames.last
        if not self._panels.canvas.zoom_to_field() and frame is not None:
            neuron = frame.lanes[0].neurons[frame.lanes[0].front]
            self._panels.banner.say(f"{neuron} sees the whole image; there is no part to zoom to.")

    def show_theme(self, choice: str) -> None:
        """Tick the current theme."""
        self._theme.show(choice)

    def tick_panels(self) -> None:
        """Tick the panels that are shown."""
        for side, action in self._shown.items():
            action.setChecked(self._panels.shows(side))


def add_quit(places: WindowPlaces, close: Callable[[], object]) -> None:
    """Add Quit to the File menu."""
    places.add_to_menu("File", places.action(QUIT, close))
