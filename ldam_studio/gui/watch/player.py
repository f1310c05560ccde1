"""Plays the checkpoints of a timeline one after the other."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer

from ldam_studio.gui.watch.bar import USUAL_SPEED, WatchBar


class Player(QObject):
    """Shows the next checkpoint whenever its timer fires, until the last one.

    Parameters
    ----------
    bar
        The bar with the timeline; its button shows whether the checkpoints are played.
    show
        Called with the index of each checkpoint.
    waits
        Returns whether the last checkpoint is still being read.
    """

    def __init__(
        self,
        bar: WatchBar,
        show: Callable[[int], object],
        waits: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bar, self._show, self._waits = bar, show, waits
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._advance)
        self.set_speed(USUAL_SPEED)
        bar.speed_chosen.connect(self.set_speed)

    @property
    def is_on(self) -> bool:
        """Whether checkpoints are being played."""
        return self._timer.isActive()

    def set_speed(self, speed: int) -> None:
        """Set how many checkpoints are played per second."""
        self._timer.setInterval(1000 // speed)

    def start(self) -> None:
        """Play from the current checkpoint on; from the first one if the current is the last."""
        timeline, current = self._bar.plot.timeline, self._bar.plot.current
        first = timeline.following(None)
        if first is None:
            self.stop()
            return
        if timeline.following(current) is None:
            self._show(first)
        elif current is not None:
            self._show(current)
        self._timer.start()
        self._bar.show_playing(True)

    def stop(self) -> None:
        """Stay at the current checkpoint."""
        self._timer.stop()
        self._bar.show_playing(False)

    def _advance(self) -> None:
        if self._waits():
            return  # wait for a slow checkpoint, so that none is left out
        following = self._bar.plot.timeline.following(self._bar.plot.current)
        if following is None:
            self.stop()
        else:
            self._show(following)
