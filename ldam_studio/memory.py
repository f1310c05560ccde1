"""How much memory is free, and what is said where it does not suffice."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import psutil

from ldam_studio.errors import StudioError

GROUP = Path("/sys/fs/cgroup")


def free_bytes(group: Path = GROUP) -> int:
    """Return how many bytes of main memory can still be used, swap aside.

    `group` is where Linux tells what a container may use.
    """
    free = int(psutil.virtual_memory().available)
    try:
        most = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        facts = (group / "memory.stat").read_text().split()
    except (OSError, ValueError):
        return free  # not in a container, or in one without a limit ("max")
    # Pages of files are given back when they are needed.
    files = int(facts[facts.index("inactive_file") + 1]) if "inactive_file" in facts else 0
    return min(free, max(0, most - used + files))


def require(what: str, needed: float, free: float, way_out: str) -> None:
    """Raise `StudioError` if `needed` bytes are more than are `free`.

    Parameters
    ----------
    what
        What needs them, as the sentence begins.
    way_out
        What to do, as it ends.
    """
    if needed > free:
        raise StudioError(
            f"{what} at least {in_words(needed)} of memory, and {in_words(free)} are free; "
            f"{way_out}."
        )


def give_back() -> None:
    """Return to the system what was freed and is still held: glibc keeps it, thread by thread."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def in_words(size: float) -> str:
    """Return a number of bytes as a person reads it, as 3.4 GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"
