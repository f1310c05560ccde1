"""What the window says of a recording."""

from __future__ import annotations


def length_words(seconds: float) -> str:
    """Return a length such as 0:07, 12:34 or 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def frame_words(frames: int) -> str:
    """Return a number of frames, such as "1 frame" or "1,234 frames"."""
    return f"{frames:,} frame{'' if frames == 1 else 's'}"


def size_words(size: int) -> str:
    """Return a size of a file, such as "12 kB" or "3.4 MB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


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
