"""Saying how many of many are done, and stopping after Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from ldam_studio.commands.shared.progress import EVERY_S
from ldam_studio.progress import LONG_S, Listener, Stage, StageWords, per_minute
from ldam_studio.scripting.interrupt import Wish


class Telling:
    """Shows how many are done: as a bar in a terminal, else in lines; stops on a wish.

    Parameters
    ----------
    bar
        A progress bar of rich.
    wish
        Whether Ctrl-C was pressed.
    rate
        Whether it is said how many are done in a minute.
    lines
        Called with each stage instead of printing lines.
    clock
        Returns seconds from a monotonic clock.
    """

    def __init__(
        self,
        bar: Any,
        wish: Wish,
        *,
        rate: bool = False,
        lines: Callable[[Stage], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bar, self._wish, self._rate, self._clock = bar, wish, rate, clock
        self._lines = lines
        self._task: Any = None
        self._words, self._said = StageWords(clock), clock()
        self._doing, self._begun, self._before = "", clock(), 0
        self.listener = Listener(self._on_stage)

    def _on_stage(self, stage: Stage) -> None:
        if self._wish.stop:
            self.listener.stop()
        if self._task is None:
            self._task = self._bar.add_task(stage.doing, total=stage.total)
        if stage.doing != self._doing:
            self._doing, self._begun, self._before = stage.doing, self._clock(), stage.done
            self._bar.reset(self._task)
        rate, words = self._rate_of(stage), self._words.of(stage)
        self._bar.update(
            self._task,
            description=f"{stage.doing}{rate}",
            completed=stage.done,
            total=stage.total or None,
        )
        if self._lines is not None:
            self._lines(stage)
            return
        now = self._clock()
        if self._bar.disable and now - self._said >= EVERY_S:
            self._said = now
            print(f"{words}{rate}", file=sys.stderr, flush=True)

    def _rate_of(self, stage: Stage) -> str:
        seconds, since = self._clock() - self._begun, stage.done - self._before
        if not self._rate or since <= 0 or seconds < LONG_S:
            return ""
        return f", {per_minute(since, seconds)}"
