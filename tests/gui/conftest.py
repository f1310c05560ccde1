"""Windows over real, small sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import QObject

from gui.windows import CPU, finish, open_in, small_opening
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.watching import watcher
from ldam_studio.gui.modes import collector
from ldam_studio.gui.photograph import feature as photograph
from ldam_studio.gui.session import frames, learning, link, thread
from ldam_studio.gui.theme import theme
from ldam_studio.gui.verdict import feature as verdict
from ldam_studio.gui.window import pace
from ldam_studio.gui.window.window import StudioWindow

STEPS_PER_SECOND = 200  # of a session that has set no limit itself


class Paced(Runner):
    """A runner that leaves the processor to the window, until a limit is set, or taken away."""

    def __init__(self, *args, **keywords) -> None:
        super().__init__(*args, **keywords)
        self._max_rate = STEPS_PER_SECOND


@pytest.fixture(autouse=True)
def _learning_needs_nothing(monkeypatch) -> None:
    """Spare tests the seconds of an import that could outlive them."""
    monkeypatch.setattr(learning, "NEEDED", "json")


@pytest.fixture(autouse=True)
def _nobody_reads_along(monkeypatch) -> None:
    """Take away the waits that are there so that a person can read, or to spare a battery."""
    monkeypatch.setattr(thread, "Runner", Paced)
    monkeypatch.setattr(pace, "FRAME_MS", 16)
    monkeypatch.setattr(pace, "COMPARE_MS", 20)
    monkeypatch.setattr(link, "RESTING_S", 0.02)
    monkeypatch.setattr(frames, "WORDS_S", 0.05)
    monkeypatch.setattr(watcher, "POLL_S", 0.01)
    monkeypatch.setattr(collector, "EVERY_MS", 30)
    monkeypatch.setattr(photograph, "EVERY_S", 0.2)
    monkeypatch.setattr(verdict, "EVERY_MS", 100)


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
