"""Trial passes without warnings: what is only tried is nothing to warn of."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

EVERYTHING = "(?s)"
"""Matches every message; it is written in this way nowhere else, so that only our filter goes."""

_LOCK = threading.Lock()
_trials = 0
_filter: Any = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore warnings, such as torch's about types that do not fit, while something is tried.

    The filters of warnings are those of the whole process, and `warnings.catch_warnings` in two
    threads at once would leave the wrong ones behind. Therefore one filter is added by the first
    trial that begins and removed by the last that ends. What another thread warns of meanwhile is
    ignored, too.
    """
    global _trials, _filter
    with _LOCK:
        if not _trials:
            warnings.filterwarnings("ignore", message=EVERYTHING)
            _filter = warnings.filters[0]
        _trials += 1
    try:
        yield
    finally:
        with _LOCK:
            _trials -= 1
            if not _trials:
                with suppress(ValueError):  # somebody has put other filters in place
                    warnings.filters.remove(_filter)  # type: ignore[attr-defined]
                # Python forgets what it has remembered only when a function of it is called.
                warnings.filterwarnings("default", message=EVERYTHING, append=True)
                warnings.filters.pop()  # type: ignore[attr-defined]
