"""Switches the window's theme, and a presentation mode with large images and text."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtWidgets import QApplication, QMainWindow, QToolBar

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.presentation_bar import PresentationBar

SCALE = 1.6  # size of the text in a presentation, relative to the usual size
PLAIN = 800  # logical pixels; on a screen of this width or less the text keeps its size


class Presentation:
    """Switches the presentation mode on and off, and applies the theme.

    Only images, strip and a slim bar with the main controls are shown then.

    Parameters
    ----------
    window, toolbar, panels
        The parts of the window that are shown or hidden.
    bar
        What is shown of the controls in a presentation.
    """

    def __init__(
        self, window: QMainWindow, toolbar: QToolBar, panels: Panels, bar: PresentationBar
    ) -> None:
        self._window, self._toolbar, self._panels = window, toolbar, panels
        self.theme_choice = "system"
        self._before = Qt.WindowState.WindowNoState
        self._heights: list[int] = []
        self._geometry = window.saveGeometry()
        self._own_strip = False
        self._bar = bar
        panels.add_below(bar)

    @property
    def is_on(self) -> bool:
        """Whether the presentation mode is on."""
        return self._panels.presenting

    @property
    def geometry(self) -> QByteArray:
        """The window's geometry outside the presentation mode."""
        return self._geometry if self.is_on else self._window.saveGeometry()

    def set_theme(self, choice: str) -> None:
        """Choose "system", "dark" or "light"."""
        self.theme_choice = choice
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, choice, self._scale() if self.is_on else 1.0)

    def _scale(self) -> float:
        """Return the size of the text for which the screen is wide enough."""
        return scale_for(present(self._window.screen()).size().width())

    def show(self, on: bool) -> None:
        """Switch the presentation mode on or off."""
        window, panels = self._window, self._panels
        if on == self.is_on:
            return
        panels.presenting = on
        for bar in (self._toolbar, present(window.menuBar()), present(window.statusBar())):
            bar.setVisible(not on)
        self._bar.setVisible(on)
        panels.banner.show_only_errors(on)
        self.set_theme(self.theme_choice)
        if on:
            self._before = window.windowState()
            self._heights = panels.middle.sizes()
            self._geometry = window.saveGeometry()
            window.showFullScreen()
        else:
            window.setWindowState(self._before)
        panels.make_room()
        if on:
            self._own_strip, panels.strip_is_own = panels.strip_is_own, False
            panels.give_strip(0)
        else:
            panels.strip_is_own = self._own_strip
            panels.middle.setSizes(self._heights)
        panels.canvas.fit()
        panels.canvas.setFocus()


def scale_for(width: int) -> float:
    """Return the relative size of a presentation's text on a screen of this width."""
    return min(SCALE, max(1.0, width / PLAIN))
