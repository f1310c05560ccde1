"""Where a network's photo statistics come from: what ships, what was measured here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import cache_folder, write_bytes
from ldam_studio.networks.statistics.statistics import PhotoStatistics, key_in, key_of, of_file

SUFFIX = "-statistics.safetensors"


def statistics_folder() -> Path:
    """Return the folder of the statistics that were measured on this computer."""
    return cache_folder() / "statistics"


def find_statistics(module: nn.Module) -> PhotoStatistics | None:
    """Return the statistics for a module's weights: shipped, else measured on this computer.

    Of several that were measured, the newest are returned; None if there are none.

    Raises
    ------
    StudioError
        If the file is damaged.
    """
    key = key_of(module)
    path = next((path for path in _files() if key_in(path) == key), None)
    return None if path is None else of_file(path)


def statistics_by_hash(sha256: str) -> PhotoStatistics:
    """Return the statistics whose file has this SHA-256.

    Raises
    ------
    StudioError
        If there is no such file.
    """
    for path in _files():
        try:
            found = of_file(path)
        except StudioError:
            continue
        if found.sha256 == sha256:
            return found
    raise StudioError(
        f"The photo statistics with SHA-256 {sha256[:12]}... are not on this computer; measure "
        "them again with ldam-studio train statistics and the same photographs, or copy their file "
        f"into {statistics_folder()}."
    )


def keep(statistics: PhotoStatistics) -> Path:
    """Write statistics where `find_statistics` finds them, and return the file."""
    path = statistics_folder() / f"{statistics.key[:16]}-{statistics.sha256[:16]}{SUFFIX}"
    write_bytes(path, statistics.content())
    return path


def _files() -> Iterator[Path]:
    yield from sorted(asset("models").glob(f"*{SUFFIX}"))
    kept = statistics_folder().glob(f"*{SUFFIX}")
    yield from sorted(kept, key=lambda path: (-_written_at(path), path.name))


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another program has just deleted it
        return 0
