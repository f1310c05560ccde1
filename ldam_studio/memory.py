"""How much memory is free, and what is said where it does not suffice."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch

from ldam_studio.errors import StudioError

GROUP = Path("/sys/fs/cgroup")
UNITS = {"bytes": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}


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


def is_lack_of_memory(error: BaseException) -> bool:
    """Tell whether an operation failed because there was no memory left for it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # What torch raises on the processor has no type of its own.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def asked_for(error: BaseException) -> float | None:
    """Return how many bytes an allocation that failed was for, if the error says so."""
    found = re.search(r"ried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", str(error))
    return float(found[1]) * UNITS[found[2]] if found else None


def too_little(what: str, error: BaseException, way_out: str) -> StudioError:
    """Say that something found too little memory.

    Parameters
    ----------
    what
        What it was, as the sentence begins.
    way_out
        What to do, as it ends.
    """
    size = asked_for(error)
    wanted = "" if size is None else f", {in_words(size)} in one piece"
    return StudioError(
        f"{what} needs more memory than there is{wanted}, and {in_words(free_bytes())} are free; "
        f"{way_out}."
    )


@contextmanager
def enough_for(what: str, way_out: str) -> Iterator[None]:
    """Turn a lack of memory into a sentence, see `too_little`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        raise too_little(what, error, way_out) from None


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
