"""The log of a session as 0.1.0 wrote it, in its present form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ldam_studio.engine.state import LogEntry
from ldam_studio.sampler.former_settings import FORMER


def log_as_today(log: Iterable[LogEntry]) -> Iterator[LogEntry]:
    """Yield the entries of a log of 0.1.0 in the present form.

    BIDMach's rule was a mode then, so choosing another mode also meant leaving its kernel.
    """
    for entry in log:
        if entry.name != "mode":
            yield entry
        elif (former := FORMER.get((entry.name, entry.value))) is not None:
            name, value = former
            yield replace(entry, name=name, value=value)
        else:
            yield entry
            yield replace(entry, name="kernel", value="langevin")
