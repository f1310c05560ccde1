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
UNITS = {"bytes": 1.0, "K": 2.0**10, "M": 2.0**20, "G": 2.0**30, "T": 2.0**40}
LACKS = ("can't allocate memory", "not enough memory: you tried to allocate", "out of memory")
"""What torch says where its error has no type of its own: on the processor, on that of Windows, and
on Apple's graphics."""


M_ARENA_MAX = -8
"""Of glibc's mallopt: how many heaps there may be."""


class TooLittleMemory(StudioError):
    """Memory is short now, which may be otherwise later."""


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
    kinds = ("inactive_file", "active_file")
    files = sum(int(facts[facts.index(kind) + 1]) for kind in kinds if kind in facts)
    return min(free, max(0, most - used + files))


def require(what: str, needed: float, free: float, way_out: str) -> None:
    """Raise `TooLittleMemory` if `needed` bytes are more than are `free`.

    Parameters
    ----------
    what
        What needs them, as the sentence begins.
    way_out
        What to do, as it ends.
    """
    if needed > free:
        raise TooLittleMemory(
            f"{what} at least {in_words(needed)} of memory, and {in_words(free)} are free; "
            f"{way_out}."
        )


def is_lack_of_memory(error: BaseException) -> bool:
    """Tell whether an operation failed because there was no memory left for it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(lack in str(error) for lack in LACKS)


def asked_for(error: BaseException) -> float | None:
    """Return how many bytes an allocation that failed was for, if the error says so."""
    # Apple's graphics say GB and mean GiB.
    found = re.search(r"ried to allocate ([\d.]+) ?(bytes|[KMGT](?=i?B))", str(error))
    return float(found[1]) * UNITS[found[2]] if found else None


def too_little(what: str, error: BaseException, way_out: str) -> TooLittleMemory:
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
    return TooLittleMemory(
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


def share_one_heap() -> None:
    """Let the threads to come use one heap: what one thread has freed, another's heap cannot use.

    Each session has a thread of its own, and glibc would give it a heap of its own.
    """
    _ask_glibc("mallopt", M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what was freed and is still held, as glibc does."""
    _ask_glibc("malloc_trim", 0)


def _ask_glibc(name: str, *numbers: int) -> None:
    """Call a function of glibc's, where there is one."""
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)
        if function is not None:
            function(*numbers)


def in_words(size: float) -> str:
    """Return a number of bytes as a person reads it, as 3.4 GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"
