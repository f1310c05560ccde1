"""How many are done in a minute, as the command line says it."""

from __future__ import annotations

from unittest.mock import Mock

from ldam_studio.commands.shared.telling import Telling
from ldam_studio.progress import Stage
from ldam_studio.scripting.interrupt import Wish


def test_the_rate_is_that_of_now_also_after_a_wait():
    now, bar = [0.0], Mock(disable=False)
    telling = Telling(bar, Wish(), rate=True, clock=lambda: now[0])

    def said(second: float, doing: str, done: int) -> str:
        now[0] = second
        telling.listener.hear(Stage(doing, done, 1000))
        return bar.update.call_args.kwargs["description"]

    assert said(0, "drawing", 0) == "drawing"
    assert said(60, "drawing", 30) == "drawing, 30 a minute"
    assert said(90, "waiting", 30) == "waiting"
    assert said(120, "drawing", 30) == "drawing"
    assert said(180, "drawing", 60) == "drawing, 30 a minute"
