"""Many alike: one in several is tested each time, the others by ``make thorough``."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def one_in(every: int, names: Iterable[str]) -> list[object]:
    """Return names as parameters, all but each `every`-th marked as thorough."""
    return [
        pytest.param(name, marks=[pytest.mark.thorough] if number % every else [])
        for number, name in enumerate(names)
    ]
