"""What the window says of a recording."""

from __future__ import annotations

from ldam_studio.export.animation.words import frame_words, size_words


def length_words(seconds: float) -> str:
    """Return a length such as 0:07, 12:34 or 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def progress_words(frames: int, rate: int, size: int) -> tuple[str, ...]:
    """Return length, number of frames and size of a recording."""
    return length_words(frames / rate), frame_words(frames), size_words(size)


def left_out_words(frames: int) -> str:
    """Return what to do about frames that were left out; empty if none were."""
    if not frames:
        return ""
    verb = "was" if frames == 1 else "were"
    return (
        f"{frame_words(frames)} {verb} left out, because the file was written too slowly; take a "
        "frame every few more steps, or make it smaller"
    )
