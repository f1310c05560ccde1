"""Switches the window's theme, and a presentation mode with large images and text."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtWidgets import QApplication, QMainWindow, QToolBar

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme
from ldam_studio.gui.window.panels import Panels

SCALE = 1.6  # size of the text in a presentation, relative to the usual size


class Presentation:
    """Switches the presentation mode on and off, and applies the theme.

    Parameters
    ----------
    window, toolbar, panels
        The parts of the window that are shown or hidden.
    """

    def __init__(self, window: QMainWindow, toolbar: QToolBar, panels: Panels) -> None:
        self._window, self._toolbar, self._panels = window, toolbar, panels
        self.theme_choice = "system"
        self._before = Qt.WindowState.WindowNoState
        self._heights: list[int] = []
        self._geometry = window.saveGeometry()

    @property
    def is_on(self) -> bool:
        """Whether the presentation mode is on: only images and strip are shown."""
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
        theme.apply(app, choice, SCALE if self.is_on else 1.0)

    def show(self, on: bool) -> None:
        """Switch the presentation mode on or off."""
        window, panels = self._window, self._panels
        if on == self.is_on:
            return
        panels.presenting = on
        for bar in (self._toolbar, present(window.menuBar()), present(window.statusBar())):
            bar.setVisible(not on)
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
            panels.give_strip(window.height() // 7)
        else:
            panels.middle.setSizes(self._heights)
        panels.canvas.fit()
        panels.canvas.setFocus()
