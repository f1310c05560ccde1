"""How much memory is free, and the errors if it is too little."""

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
UNITS = {"bytes": 1.0, "K": 2.0**10, "M": 2.0**20, "G": 2.0**30, "T": 2.0**40}
LACKS = ("can't allocate memory", "not enough memory: you tried to allocate", "out of memory")
"""Torch's messages about a lack of memory that has no exception type of its own: on the CPU, on
Windows, and on Apple's GPUs."""


M_ARENA_MAX = -8
"""Parameter of glibc's mallopt: the largest number of heaps."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt: how much freed memory at the end of a heap is kept, and the size
of a block from which on it is not taken from a heap."""

KEPT = 2**30  # bytes


class TooLittleMemory(StudioError):
    """There is too little memory at the moment; the same operation may succeed later."""


def free_bytes(group: Path = GROUP) -> int:
    """Return how many bytes of main memory can still be used, without swap.

    `group` is the folder in which Linux states a container's limit.
    """
    free = int(psutil.virtual_memory().available)
    try:
        most = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        facts = (group / "memory.stat").read_text().split()
    except (OSError, ValueError):
        return free  # not in a container, or in one without a limit ("max")
    # Cached pages of files are freed on demand.
    kinds = ("inactive_file", "active_file")
    files = sum(int(facts[facts.index(kind) + 1]) for kind in kinds if kind in facts)
    return min(free, max(0, most - used + files))


def require(what: str, needed: float, free: float, way_out: str) -> None:
    """Raise `TooLittleMemory` if `needed` bytes are more than `free` bytes.

    Parameters
    ----------
    what
        Beginning of the message: what needs the memory.
    way_out
        End of the message: what to do.
    """
    if needed > free:
        raise TooLittleMemory(
            f"{what} at least {in_words(needed)} of memory, but only {in_words(free)} are free; "
            f"{way_out}."
        )


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an operation failed because of too little memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(lack in str(error) for lack in LACKS)


def asked_for(error: BaseException) -> float | None:
    """Return the size of a failed allocation in bytes; None if the error does not say it."""
    # On Apple's GPUs, torch says GB and means GiB.
    found = re.search(r"ried to allocate ([\d.]+) ?(bytes|[KMGT](?=i?B))", str(error))
    return float(found[1]) * UNITS[found[2]] if found else None


def too_little(what: str, error: BaseException, way_out: str) -> TooLittleMemory:
    """Return the error for an operation that failed because of too little memory.

    Parameters
    ----------
    what
        Beginning of the message: the operation.
    way_out
        End of the message: what to do.
    """
    size = asked_for(error)
    wanted = "" if size is None else f", {in_words(size)} in one piece"
    return TooLittleMemory(
        f"{what} needs more memory than there is{wanted}; {in_words(free_bytes())} are free; "
        f"{way_out}."
    )


@contextmanager
def enough_for(what: str, way_out: str) -> Iterator[None]:
    """Turn a lack of memory into a `TooLittleMemory`, see `too_little`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        raise too_little(what, error, way_out) from None


def share_one_heap() -> None:
    """Make all threads that are started later share one heap.

    Each session has its own thread, for which glibc would create a separate heap; memory that is
    freed in one heap cannot be used by another.
    """
    _ask_glibc("mallopt", M_ARENA_MAX, 1)


def keep_freed() -> None:
    """Keep memory that a step frees for the next step.

    Otherwise glibc returns most of it to the system, and the system then fills every page with
    zeros again, which takes more time than many of the operations themselves. See `give_back`.
    """
    _ask_glibc("mallopt", M_TRIM_THRESHOLD, KEPT)
    _ask_glibc("mallopt", M_MMAP_THRESHOLD, KEPT)


def give_back() -> None:
    """Return freed memory to the system, which glibc otherwise keeps."""
    _ask_glibc("malloc_trim", 0)


def _ask_glibc(name: str, *numbers: int) -> None:
    """Call a function of glibc, if the platform has it."""
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)
        if function is not None:
            function(*numbers)


def in_words(size: float) -> str:
    """Return a number of bytes in words, for example 3.4 GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"
