"""Random numbers that a network draws in its forward pass, the same in every run of a step.

Networks draw them from the generators of the whole process (of torch, NumPy and Python). For a pass
these are seeded, and afterwards they continue as if nothing had happened. Other threads of this
program that use them wait.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch

from ldam_studio.errors import StudioError

_IN_USE = threading.RLock()
_seed: ContextVar[int] = ContextVar("seed of the passes of a step", default=0)

PATIENCE_S = 60.0
"""How long a pass waits for another thread, which may be building a large network."""


@contextmanager
def passes_seeded(seed: int) -> Iterator[None]:
    """Within, this thread's `seed_of_passes` is `seed`, (0, 2^63)."""
    token = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(token)


def seed_of_passes() -> int:
    """Return the seed of the random numbers in a forward pass; 0 outside of steps."""
    return _seed.get()


@contextmanager
def alone() -> Iterator[None]:
    """Keep other threads from the generators of the process, and from networks that remember.

    Raises
    ------
    StudioError
        If another thread does not finish in `PATIENCE_S`.
    """
    if not _IN_USE.acquire(timeout=PATIENCE_S):
        raise StudioError(
            "Another network is being opened, and this one needs the same generators of random "
            "numbers; continue when it is open."
        )
    try:
        yield
    finally:
        _IN_USE.release()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the generators of the process; afterwards they continue where they were.

    Raises as `alone` does.
    """
    with alone():
        before = states()
        seed_torch(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            _restore(before)


def seed_torch(seed: int) -> None:
    """Seed torch's generators as `torch.manual_seed` does.

    That writes down the stack each time, for a graphics card that may be used later: without one it
    takes longer than a pass of a small network.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def states() -> dict[str, Any]:
    """Return the states of the generators of the process."""
    found = {
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state(),
        "python": random.getstate(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        found["mps"] = torch.mps.get_rng_state()
    return found


def _restore(before: dict[str, Any]) -> None:
    torch.set_rng_state(before["torch"])
    np.random.set_state(before["numpy"])
    random.setstate(before["python"])
    if "cuda" in before:
        torch.cuda.set_rng_state_all(before["cuda"])
    if "mps" in before:
        torch.mps.set_rng_state(before["mps"])


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether nothing was drawn between two `states`."""
    return all(_same(one[name], other.get(name)) for name in one)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, tuple | list):
        pairs = zip(one, other, strict=True)
        return all(_same(*pair) for pair in pairs)
    return bool(one == other)
