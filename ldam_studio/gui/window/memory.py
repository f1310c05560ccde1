"""Saves and restores the window's geometry, its division into panels, and its theme."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QByteArray, QSize
from PyQt6.QtWidgets import QMainWindow

from ldam_studio.gui.qt import present
from ldam_studio.gui.session.note import Layout
from ldam_studio.gui.session.store import Looks
from ldam_studio.gui.theme.theme import CHOICES
from ldam_studio.gui.window.panels import Panels
from ldam_studio.gui.window.presentation import Presentation

FRAME = QSize(16, 40)  # pixels that a window's frame and title may take of the screen


def looks_of(panels: Panels, presentation: Presentation) -> Looks:
    """Return the present geometry, panel sizes and theme."""
    return Looks(
        bytes(presentation.geometry.data()),
        panels.across.sizes(),
        panels.heights(),
        {str(side): wanted for side, wanted in panels.wanted.items()},
        presentation.theme_choice,
    )


def restore(window: QMainWindow, panels: Panels, looks: Looks) -> None:
    """Restore a window's geometry and panel sizes; invalid values are ignored."""
    window.restoreGeometry(QByteArray(looks.geometry))
    _resize(panels, looks.across, looks.middle)
    _show(panels, looks.panels)


def layout_of(panels: Panels) -> Layout:
    """Return how the window is divided now."""
    wanted = {str(side): on for side, on in panels.wanted.items()}
    return Layout(panels.across.sizes(), panels.heights(), wanted, panels.tab)


def divide(panels: Panels, layout: Layout) -> None:
    """Divide a window like another one, in its own size; invalid values are ignored."""
    _show(panels, layout.panels)  # first, since what is hidden leaves a handle, which takes room
    across = _scaled(layout.across, sum(panels.across.sizes()))
    _resize(panels, across, _scaled(layout.middle, sum(panels.heights())))
    panels.prefer_tab(layout.tab)


def _scaled(sizes: list[int], whole: int) -> list[int]:
    """Return sizes that fill `whole`; Qt would take what is too much from the images alone."""
    return [size * whole // max(sum(sizes), 1) for size in sizes]


def _resize(panels: Panels, across: list[int], middle: list[int]) -> None:
    for give, sizes in ((panels.across.setSizes, across), (panels.restore_heights, middle)):
        if len(sizes) == 3 and sum(sizes) > 0:
            give(sizes)


def _show(panels: Panels, wanted: Mapping[str, bool]) -> None:
    panels.wanted |= {side: wanted.get(side, True) for side in panels.wanted}
    panels.make_room()


def fit_to_screen(window: QMainWindow, panels: Panels) -> None:
    """Make a window smaller if it does not fit on its screen, unless it fills that anyway."""
    if window.isMaximized() or window.isFullScreen():
        return
    fit(window, panels, present(window.screen()).availableSize())


def fit(window: QMainWindow, panels: Panels, screen: QSize) -> None:
    """Make a window smaller if it does not fit on a screen of this size."""
    wanted = window.size().boundedTo(screen - FRAME)
    # Qt makes no window smaller than its panels; the first call hides those for which there is no
    # room, which the second then need not respect.
    for _ in range(2):
        window.resize(wanted)
        panels.make_room()


def theme_of(looks: Looks) -> str | None:
    """Return the theme that was chosen; None if no theme has that name."""
    return looks.theme if looks.theme in CHOICES else None
