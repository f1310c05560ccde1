"""Which published networks can be opened without a download."""

from __future__ import annotations

import os
from contextlib import suppress

from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.download import cached
from ldam_studio.networks.sources.families import libraries, to_download


def weights_here() -> tuple[str, ...]:
    """Return the full names of library networks whose published weights are on this computer.

    It may take seconds, because it imports the libraries. Only networks are looked at that
    are named in a file of the cache of downloads; without such files nothing is imported.
    """
    try:
        files = sorted(os.listdir(cached("any").parent))
    except OSError:
        return ()
    found: list[str] = []
    for library in libraries():
        if files and library.is_installed:
            for name in library.names():
                if any(name in file for file in files):
                    with suppress(StudioError):
                        if to_download(f"{library.prefix}{name}") is None:
                            found.append(f"{library.prefix}{name}")
    return tuple(found)
