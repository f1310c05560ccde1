"""Sets how often the window asks for a frame, and slows the sampler of a hidden window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, QTimer

from ldam_studio.gui.session.controller import Controller

FRAME_MS = 33
COMPARE_MS = 50  # with two networks, frames cost more and steps take twice as long
HIDDEN_MS = 500
HIDDEN_RATE = 20  # steps per second while the window is hidden


class Pace(QObject):
    """Calls `tick` at the frame rate, and reduces that rate while the window is hidden."""

    def __init__(self, controller: Controller, tick: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._controller = controller
        self._resting = False
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(FRAME_MS)
        self.timer.timeout.connect(tick)
        self.timer.start()
        controller.model.comparison_changed.connect(self._set_interval)
        controller.model.session_changed.connect(self._set_interval)

    def rest(self, on: bool) -> None:
        """Slow the sampler down (`on`) while the window is hidden, or restore its speed."""
        self._resting = on
        self._set_interval()
        runner, chosen = self._controller.runner, self._controller.model.max_rate
        if runner is not None:
            slow = min(chosen, HIDDEN_RATE) if chosen else HIDDEN_RATE
            runner.post("max_rate", slow if on else chosen)

    def stop(self) -> None:
        """Stop asking for frames."""
        self.timer.stop()

    def _set_interval(self) -> None:
        shown = COMPARE_MS if self._controller.model.is_comparing else FRAME_MS
        self.timer.setInterval(HIDDEN_MS if self._resting else shown)
