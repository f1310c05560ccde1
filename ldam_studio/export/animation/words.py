"""Words for the length and size of an animation."""

from __future__ import annotations


def frame_words(frames: int) -> str:
    """Return a number of frames, such as "1 frame" or "1,234 frames"."""
    return f"{frames:,} frame{'' if frames == 1 else 's'}"


def size_words(size: int) -> str:
    """Return a size of a file in bytes, such as "12 kB" or "3.4 MB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
