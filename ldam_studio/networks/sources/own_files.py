"""Files that a person's code names relative to the folder in which its project is usually run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ldam_studio.networks.sources.importing import DEEPEST, Project
from ldam_studio.networks.sources.packages import packages_above

T = TypeVar("T")

MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", ".git")
"""Files and folders that lie in the uppermost folder of a project."""


def with_its_files(
    run: Callable[[Project], T], project: Project, code: Path, notes: list[str]
) -> T:
    """Run code of a project; if it misses a file, once more in the folder where that lies.

    A file that the code names by a relative path is missing if the program was started in another
    folder than the project's. The code is then run with the folder of `code`, or one above it in
    the same project, as the current one; it is told in `notes`. Otherwise the error is raised.

    Parameters
    ----------
    run
        Imports or calls something of the project.
    code
        The file of the code.
    """
    try:
        return run(project)
    except Exception as error:
        missing = missing_file(error)
        folder = None if missing is None else folder_with(missing, code)
        if folder is None:
            raise
        project.begin_again_in(folder)
    made = run(project)
    notes.append(f"Its code reads {missing}, and was run in {folder}, where that file is.")
    return made


def missing_file(error: BaseException) -> Path | None:
    """Return the relative path of a file that code misses; None if that was not the error."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, FileNotFoundError) and isinstance(at.filename, str | os.PathLike):
            path = Path(at.filename)
            return None if path.is_absolute() or not path.name else path
        at = at.__cause__ or at.__context__
    return None


def folder_with(missing: Path, code: Path) -> Path | None:
    """Return the folder of the project of `code` in which a relative path exists; None if none."""
    return next((folder for folder in _folders(code) if (folder / missing).exists()), None)


def _folders(code: Path) -> list[Path]:
    """Return the folder of a file, and those above it up to the uppermost of its project.

    That one has one of `MARKS`, or else holds the packages in which the file lies.
    """
    code = Path(os.path.abspath(code))
    above, packages = list(code.parents), packages_above(code)
    for depth, folder in enumerate(above[: packages + DEEPEST]):
        if depth >= packages and any((folder / mark).exists() for mark in MARKS):
            return above[: depth + 1]
    return above[: packages + 1]
