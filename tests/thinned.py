"""Many alike: one in several is tested each time, the others by ``make thorough``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def one_in(every: int, values: Iterable[T], name: Callable[[T], str] | None = None) -> list[object]:
    """Return values as parameters, all but each `every`-th marked as thorough.

    A tuple is several parameters.
    """
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            id=None if name is None else name(value),
            marks=[pytest.mark.thorough] if number % every else [],
        )
        for number, value in enumerate(values)
    ]
