"""Where a network's photo statistics come from: what ships, what was measured here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import cache_folder, write_bytes
from ldam_studio.networks.statistics.statistics import PhotoStatistics, key_in, of_file

SUFFIX = "-statistics.safetensors"


def statistics_folder() -> Path:
    """Return the folder of the statistics that were measured on this computer."""
    return cache_folder() / "statistics"


def find_statistics(key: str) -> PhotoStatistics | None:
    """Return the statistics for weights (see `key_of`): shipped, else measured on this computer.

    Of several that were measured, the newest are returned; None if there are none.

    Raises
    ------
    StudioError
        If the file is damaged.
    """
    path = next((path for path in _files() if key_in(path) == key), None)
    return None if path is None else of_file(path)


def are_shipped(key: str) -> bool:
    """Return whether the statistics for weights (see `key_of`) ship with the program."""
    return any(key_in(path) == key for path in _shipped())


def measured_before(key: str, source: str) -> PhotoStatistics | None:
    """Return what was measured on this computer for weights with the same `source`, if anything."""
    for path in _kept():
        if key_in(path) == key:
            try:
                found = of_file(path)
            except StudioError:  # damaged; it is measured again
                continue
            if found.source == source:
                return found
    return None


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
    """Write statistics where `find_statistics` finds them first, and return the file."""
    path = statistics_folder() / f"{statistics.key[:16]}-{statistics.sha256[:16]}{SUFFIX}"
    write_bytes(path, statistics.content())
    return path


def _files() -> Iterator[Path]:
    yield from _shipped()
    yield from _kept()


def _shipped() -> list[Path]:
    return sorted(asset("models").glob(f"*{SUFFIX}"))


def _kept() -> list[Path]:
    """Return the files that were measured on this computer, the newest first."""
    found = statistics_folder().glob(f"*{SUFFIX}")
    return sorted(found, key=lambda path: (-_written_at(path), path.name))


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another program has just deleted it
        return 0
