"""What a person sees first: one window, which fits the screen."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QObject, QPoint, QRect, QSize
from PyQt6.QtWidgets import QApplication, QToolButton, QWidget

from gui.windows import open_in, show, small_opening
from ldam_studio.gui.session.store import Looks, SessionStore
from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.gui.window import presentation
from ldam_studio.gui.window.memory import FRAME, fit
from ldam_studio.gui.window.presentation import scale_for
from ldam_studio.gui.window.presentation_bar import PresentationBar


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


def test_a_window_of_a_larger_screen_fits_this_one(make_window, tmp_path):
    store = SessionStore(tmp_path)
    wanted = {"neurons": True, "controls": True, "traces": True}
    # The size of another screen is not restored; the window has its usual size then.
    store.save_looks(Looks(b"", [336, 660, 284], [460, 96, 150], wanted, "dark"))
    window = make_window(store=store)
    window.resize(1280, 820)
    window.recall()
    room = window.screen().availableSize() - FRAME
    assert room.width() < 1280
    assert window.size() == QSize(1280, 820).boundedTo(room)


def test_the_bar_of_a_presentation_fits_the_screen(make_window, qtbot, monkeypatch):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    for width in (1920, 1366, 1280, 1024, 800):
        monkeypatch.setattr(presentation, "scale_for", lambda _, width=width: scale_for(width))
        window.present(True)
        window.showNormal()  # the screen of the tests has a size of its own
        window.resize(width, 600)
        QApplication.processEvents()
        assert window.width() == width
        bar = window.findChild(PresentationBar)
        parts = (*bar.findChildren(QToolButton), *bar.findChildren(NumberRow))
        assert parts
        for part in parts:
            # Nothing is squeezed or outside.
            assert part.width() >= part.minimumSizeHint().width(), width
            assert part.height() >= part.minimumSizeHint().height(), width
            assert bar.rect().contains(QRect(part.mapTo(bar, QPoint()), part.size())), width
        window.present(False)
