"""What was recorded last and how, for the next recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

LOWEST, HIGHEST = 32, 2160  # pixels
MOST_RATE = 50  # frames per second that every format can have
FRAMES_PER_SECOND = 30


class LastRecording(msgspec.Struct):
    """The last choice; the defaults are those of the first recording.

    Attributes
    ----------
    what
        One of `catching.WHAT`.
    height
        Most pixels of the animation from top to bottom.
    rate
        Frames per second.
    loop
        Whether the ends meet.
    texts
        Whether neuron and step stand above the images.
    suffix
        The suffix of the file.
    folder
        The folder of the last file; empty before the first.
    """

    what: str = "both"
    height: Annotated[int, msgspec.Meta(ge=LOWEST, le=HIGHEST)] = 480
    rate: Annotated[int, msgspec.Meta(ge=1, le=MOST_RATE)] = FRAMES_PER_SECOND
    loop: bool = False
    texts: bool = True
    suffix: str = ".webp"
    folder: str = ""


@dataclass(frozen=True)
class RecordingChoice:
    """The user's choice; `every` is how many steps there are from frame to frame."""

    what: str
    height: int
    rate: int
    every: int
    loop: bool
    texts: bool
    path: Path


def usual_steps(steps_per_second: float, rate: int) -> int:
    """Return every how many steps a frame is taken, so that it plays as fast as the chains run."""
    return max(1, round(steps_per_second / rate))


def pace_words(every: int, rate: int, steps_per_second: float) -> str:
    """Return in words how fast a recording plays, compared with the chains at present."""
    played = f"Plays {every * rate:,} steps per second"
    if steps_per_second <= 0:
        return f"{played}."
    times = every * rate / steps_per_second
    if 0.8 <= times <= 1.25:
        return f"{played}, as fast as the chains run now."
    if times > 1:
        return f"{played}, {times:.2g} times as fast as the chains run now."
    return f"{played}, {1 / times:.2g} times as slowly as the chains run now."
