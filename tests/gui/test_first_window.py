"""What a person sees first: one window, which fits the screen."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QObject, QSize
from PyQt6.QtWidgets import QWidget

from gui.windows import open_in, show, small_opening
from ldam_studio.gui.window.memory import FRAME, fit


class _Shown(QObject):
    """Notes which windows appear."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[tuple[str, str]] = []

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            text = getattr(watched, "text", lambda: "")()
            self.windows.append((type(watched).__name__, text))
        return False


def test_no_other_window_flashes_while_the_first_one_opens(qapp, make_window, qtbot):
    shown = _Shown()
    qapp.installEventFilter(shown)
    try:
        open_in(make_window(), qtbot, small_opening(discriminator=True))
    finally:
        qapp.removeEventFilter(shown)
    assert shown.windows == [("StudioWindow", "")]


@pytest.mark.parametrize(
    "screen", [(2560, 1440), (1366, 768), (1024, 768), (960, 540), (800, 600), (683, 384)]
)
def test_the_first_window_fits_its_screen(screen, make_window, qtbot):
    window = make_window()
    window.resize(1280, 820)
    fit(window, window.panels, QSize(*screen))
    show(window, qtbot)
    room = QSize(*screen) - FRAME
    assert window.size() == QSize(1280, 820).boundedTo(room)
    canvas = window.canvas
    assert window.rect().contains(canvas.rect().translated(canvas.mapTo(window, canvas.pos())))
