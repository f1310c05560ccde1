"""Windows over real, small sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import QObject

from gui.windows import CPU, finish, open_in, small_opening
from ldam_studio.gui.session import learning
from ldam_studio.gui.theme import theme
from ldam_studio.gui.window.window import StudioWindow


@pytest.fixture(autouse=True)
def _learning_needs_nothing(monkeypatch) -> None:
    """Spare tests the seconds of an import that could outlive them."""
    monkeypatch.setattr(learning, "NEEDED", "json")


@pytest.fixture
def make_window(qapp, qtbot) -> Iterator[Callable[..., StudioWindow]]:
    """Give a function that makes a window; all of them are closed at the end."""
    follower = qapp.findChild(QObject, "theme-follower")
    if follower is None or (follower.choice, follower.scale) != ("dark", 1.0):
        theme.apply(qapp, "dark")
    made = []

    def make(**given) -> StudioWindow:
        window = StudioWindow(CPU, **given)
        window.resize(1100, 760)
        made.append(window)
        return window

    yield make
    for window in made:
        finish(window)


@pytest.fixture
def studio(make_window, qtbot) -> StudioWindow:
    """Give a window with all its panels, over a running session of three class neurons."""
    return open_in(make_window(), qtbot, small_opening())


@pytest.fixture
def picker(qtbot):
    """Show a neuron picker without a network; `heard` is what was chosen in it."""
    from ldam_studio.gui.picker.picker import NeuronPicker

    made = NeuronPicker()
    qtbot.addWidget(made)
    made.heard = []
    made.chosen.connect(made.heard.append)
    made.spread.connect(lambda *whole: made.heard.append(whole))
    made.resize(320, 600)
    made.show()
    return made
