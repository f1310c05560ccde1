"""Implements the port's `Places`: the window's actions, menus, toolbar, panels and bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu, QToolBar, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.session.model import Model
from ldam_studio.gui.studio import Dragged, Entry, Menu, Side
from ldam_studio.gui.theme import icons
from ldam_studio.gui.theme.paint import Badge
from ldam_studio.gui.window.first_keys import FirstKeys
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.sections import Sections


class WindowPlaces:
    """Adds actions to the window's menus and toolbar, and panels and bars to its layout.

    Parameters
    ----------
    window
        The window, which receives the menus and the toolbar.
    model
        Tells when a session is open, for actions that need one.
    panels
        The window's central widget, which receives the panels and bars.
    show_both_in_strip
        Called with whether the strip shows the chains of both networks.
    present_too
        Called with a widget for the bar of a presentation.
    """

    def __init__(
        self,
        window: QMainWindow,
        model: Model,
        panels: Panels,
        show_both_in_strip: Callable[[bool], object],
        present_too: Callable[[QWidget], object],
    ) -> None:
        self._window, self._model, self._panels = window, model, panels
        self._both_in_strip, self._presented = show_both_in_strip, present_too
        self.rank = 0  # the rank of the feature that is being made, for whatever it adds
        self._actions: list[tuple[int, str, QAction]] = []
        bar = present(window.menuBar())
        self._menus = {name: present(bar.addMenu(f"&{name}")) for name in get_args(Menu)}
        self._sections = {name: Sections(menu) for name, menu in self._menus.items()}
        self.toolbar = _toolbar(window)
        self._tools = Sections(self.toolbar)
        self._end: QAction | None = None
        self._first_keys = FirstKeys(window)

    @property
    def root(self) -> QWidget:
        """The window."""
        return self._window

    def action(self, entry: Entry, act: Callable[[], object] | None = None) -> QAction:
        """Make an action and add it to the images if its entry says so, else to the window."""
        action = QAction(entry.text, self._window)
        action.setObjectName(f"action-{entry.name}")
        action.setCheckable(entry.checkable)
        if entry.key:
            action.setShortcut(QKeySequence(entry.key))
        if entry.icon:
            action.setIcon(icons.icon(entry.icon))
        if entry.label:
            action.setIconText(entry.label)
        action.setStatusTip(entry.tip)
        action.setToolTip(f"{entry.tip} ({entry.key})" if entry.key else entry.tip)
        if entry.canvas:
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self._panels.canvas.addAction(action)
        else:
            self._window.addAction(action)
        if entry.first:
            self._first_keys.add(entry.key)
        if entry.needs_session:
            action.setEnabled(False)
            self._model.on_session(partial(action.setEnabled, True))
        if act is not None:
            action.triggered.connect(lambda _on: act())
        self._actions.append((self.rank, entry.name, action))
        return action

    def actions(self) -> Mapping[str, QAction]:
        """Return all actions by name, in the order of their features."""
        ordered = sorted(self._actions, key=lambda each: each[0])
        return {name: action for _rank, name, action in ordered}

    def menu(self, name: Menu) -> QMenu:
        """Return a menu of the menu bar."""
        return self._menus[name]

    def add_to_menu(self, name: Menu, *items: QAction) -> None:
        """Add one section to a menu."""
        self._sections[name].add(self.rank, items)

    def add_to_toolbar(self, *actions: QAction) -> None:
        """Add one group of buttons to the toolbar."""
        self._tools.add(self.rank, actions)
        if self._end is not None:
            self.toolbar.addAction(self._end)

    def end_toolbar(self, widget: QWidget) -> None:
        """Put a widget at the right end of the toolbar."""
        self._end = self.toolbar.addWidget(widget)

    def add_panel(self, side: Side, panel: QWidget, *, first: bool = False) -> None:
        """Add a finished panel to one side."""
        self._panels.add_panel(side, panel, first=first)

    def show_panel(self, side: Side) -> None:
        """Show the panels of one side, because the user asked for one of them."""
        self._panels.show_panel(side, True)

    def add_tab(self, title: str, panel: QWidget) -> None:
        """Add a finished panel below the images, as a tab."""
        self._panels.add_tab(title, panel, self.rank)

    def show_tab(self, panel: QWidget) -> None:
        """Show the panel of a tab, because the user asked for it."""
        self._panels.show_tab(panel)

    def add_to_image_menu(self, *actions: QAction) -> None:
        """Add actions to the menu that a right click on the images opens."""
        self._panels.canvas.menu.extend(actions)

    def on_image_dragged(self, act: Callable[[Dragged], object]) -> None:
        """Register what is called when the user drags an image out of the window."""
        self._panels.canvas.dragged.connect(act)

    def light_up(self, on: bool) -> None:
        """Show whether a file that is dragged over the window can be dropped."""
        self._panels.canvas.light_up(on)

    def add_to_presentation(self, widget: QWidget) -> None:
        """Add a widget to the slim bar that a presentation shows."""
        self._presented(widget)

    def add_to_status(self, widget: QWidget) -> None:
        """Add a widget to the status bar, left of the figures."""
        # The progress has the first place.
        present(self._window.statusBar()).insertPermanentWidget(1, widget)

    def cover(self, widget: QWidget | None) -> None:
        """Lay a widget over the images, in place of one that lies there; None lays nothing."""
        self._panels.cover(widget)

    def fill(self, widget: QWidget | None) -> None:
        """Put a widget in the place of images and strip; None shows these again."""
        self._panels.fill(widget)

    def add_bar(self, bar: QWidget, *, above: bool) -> None:
        """Add a bar directly above or below the images."""
        self._panels.add_bar(bar, above=above)

    def show_average_badge(self, name: str, badge: Badge | None) -> None:
        """Show the badge of this name beside the title of the first average; None: none."""
        self._panels.canvas.set_average_badge(name, badge)

    def show_two_rows(self, on: bool) -> None:
        """Give the images more height for two rows, or go back to the height of one row."""
        self._panels.show_two_rows(on)

    def show_both_in_strip(self, on: bool) -> None:
        """Show the chains of both networks in the strip, or only those of the first."""
        self._both_in_strip(on)


def _toolbar(window: QMainWindow) -> QToolBar:
    """Add an empty toolbar to the window and return it."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setIconSize(QSize(18, 18))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    window.addToolBar(bar)
    return bar
