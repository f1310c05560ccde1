"""The packages in whose folders a file lies, and the project that it belongs to."""

from __future__ import annotations

import re
from pathlib import Path

from ldam_studio.networks.sources.importing import START, Project, is_taken


def packages_above(path: Path) -> int:
    """Return how many folders above a file are packages, up to the first that is none."""
    count = 0
    while count < len(path.parents) - 1 and (path.parents[count] / START).is_file():
        count += 1
    return count


def project_of(path: Path, depth: int) -> tuple[Project, str]:
    """Return a project with a file in it, and the file's full name as a module.

    Parameters
    ----------
    depth
        How many folders above the file are its packages.
    """
    path = path.absolute()
    place = path.parent if path.name == START else path
    chain = [*reversed(place.parents[:depth]), place]
    names = [re.sub(r"\W", "_", p.stem if p.is_file() else p.name) for p in chain]
    if is_taken(names[0]):
        names[0] = f"own_{names[0]}"
    packages = {".".join(names[: i + 1]): p for i, p in enumerate(chain)}
    root = place.parents[depth]
    return Project((root, path.parent), str(path), packages), ".".join(names)
