"""What a runner is doing.

::

            play                    pause
    IDLE ---------> RUNNING <---------------> PAUSED
                      |  ^        play          ^
      advance raised  |  | play                 | a chain exploded: back to the last finite state
                      v  |                      |
                     FAILED          RUNNING ---+

    every state -- close --> CLOSED
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RunState(Enum):
    """The state of a runner; see the diagram above."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Status:
    """A snapshot of a runner: run state, number of the step, speed, and why it failed."""

    state: RunState
    step: int
    steps_per_second: float
    error: str = ""
