"""Small real sessions, windows over them, and waiting for what they show."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QPushButton, QWidget

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.frame import Frame
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.gui.compare.compare import Comparing
from ldam_studio.gui.exporting.exporting import Exporting
from ldam_studio.gui.filters.feature import Filtering
from ldam_studio.gui.filters.panel import FilterPanel
from ldam_studio.gui.learner.feature import Learner
from ldam_studio.gui.learner.panel import LearnerPanel
from ldam_studio.gui.opening.files import Files
from ldam_studio.gui.opening.picture_view import PictureView
from ldam_studio.gui.picker.feature import Picking
from ldam_studio.gui.picker.picker import NeuronPicker
from ldam_studio.gui.session.model import IMAGE, Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.settings.controls import Controls
from ldam_studio.gui.settings.feature import SettingsPanel
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.gui.traces.feature import Tracing
from ldam_studio.gui.traces.traces import Traces
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import parse_neurons
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

PATIENCE_MS = 30_000  # a machine that is busy with other things must not fail a test
LAST_STEP_MS = 5_000
LOOK_MS = 2  # between two looks whether what is waited for has come
CPU = Device("cpu", "float32", 1)


@functools.cache
def lenet() -> Network:
    """Return LeNet, opened once for all tests, which must not change it."""
    return open_network("lenet")


def small_opening(
    neurons: str = "fc3:0-2", *, discriminator: bool = False, rows: tuple[str, ...] = (), **settings
) -> Opening:
    """Return a session that steps fast."""

    def make():
        return open_session(
            SessionSpec(
                network=lenet(),
                neurons=tuple(parse_neurons(neurons)),
                settings=Settings.of(**settings),
                seed=3,
                discriminator=open_discriminator() if discriminator else None,
                device=CPU,
            )
        )

    return Opening("Small", make, Display(IMAGE), rows=rows)


def finish(window: StudioWindow) -> None:
    """Close a window, without waiting for its session to be saved, and let Qt delete it.

    A sampler whose last step takes longer than the window waits is waited for here.
    """
    if not window.close():
        window.close()
    for thread in tuple(STRAGGLERS):
        thread.wait(LAST_STEP_MS)
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def until(qtbot, condition: Callable[[], bool]) -> None:
    """Let the window live until something holds."""
    given_up = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < given_up, "what is waited for has not come"
        qtbot.wait(LOOK_MS)


def show(window: StudioWindow, qtbot) -> None:
    """Show a window and wait until all its panels are there."""
    window.show()
    until(qtbot, lambda: window.has_all_features)


def open_in(window: StudioWindow, qtbot, opening: Opening) -> StudioWindow:
    """Open a session in a window and wait for frames of it.

    The panels are made first: as long as a session runs, its steps take the time that they need.
    """
    show(window, qtbot)
    window.open(opening)
    window.activateWindow()
    window.canvas.setFocus()
    until(qtbot, window.canvas.hasFocus)
    until(qtbot, lambda: window.last_frame is not None and window.last_frame.step > 0)
    until(qtbot, lambda: window.model.run_state is not None)
    return window


def close_saved(window: StudioWindow, qtbot) -> None:
    """Close a window and wait until it went with its session saved."""
    window.close()
    until(qtbot, window.isHidden)


def compare_with_itself(window: StudioWindow, qtbot, title: str = "") -> None:
    """Put a window's network beside itself, and wait for a frame of both."""
    window.controller.compare(window.model.outline.lane.network, title=title)
    until(qtbot, lambda: window.last_frame is not None and len(window.last_frame.lanes) > 1)


def paused(window: StudioWindow, qtbot) -> StudioWindow:
    """Pause a window's session, and wait until it rests and its last frame is shown."""
    window.controller.pause()
    until(qtbot, lambda: window.model.run_state.value == "paused")
    settled = window.frames.count
    until(qtbot, lambda: window.frames.count > settled + 1)
    return window


def shown_picture(window: StudioWindow, qtbot) -> PictureView:
    """Wait until a picture lies over the images, and return what shows it."""
    until(qtbot, lambda: bool(window.findChildren(PictureView)))
    return window.findChildren(PictureView)[-1]


def click(widget: QWidget, text: str) -> None:
    """Click the button with this text inside a widget, of those that a person would see."""
    buttons = widget.findChildren(QPushButton)
    next(b for b in buttons if b.text() == text and b.isVisibleTo(widget)).click()


# What features have made


def files(window: StudioWindow) -> Files:
    return window.feature(Files)


def watching(window: StudioWindow) -> Watching:
    return window.feature(Watching)


def comparing(window: StudioWindow) -> Comparing:
    return window.feature(Comparing)


def exporting(window: StudioWindow) -> Exporting:
    return window.feature(Exporting)


def controls(window: StudioWindow) -> Controls:
    return window.feature(SettingsPanel).controls


def learner(window: StudioWindow) -> LearnerPanel:
    return window.feature(Learner).panel


def picker_of(window: StudioWindow) -> NeuronPicker:
    return window.feature(Picking).picker


def filter_of(window: StudioWindow) -> FilterPanel:
    return window.feature(Filtering).panel


def traces_of(window: StudioWindow) -> Traces:
    return window.feature(Tracing).traces


def altered(frame: Frame, **values: object) -> Frame:
    """Return a frame whose first lane has other values."""
    return replace(frame, lanes=(replace(frame.lanes[0], **values), *frame.lanes[1:]))


def turn(widget: QWidget, notches: int) -> bool:
    """Turn the wheel over a widget; return whether the widget took the event for itself."""
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()
