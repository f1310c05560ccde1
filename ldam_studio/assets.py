"""The files that ship with the program: pictures, lists of labels, weights."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.errors import StudioError

_PACKAGE = Path(__file__).resolve().parent
# A wheel has these folders inside the package, a checkout has them beside it.
_ROOTS = (_PACKAGE, _PACKAGE.parent)


def asset(*parts: str) -> Path:
    """Find a shipped file or folder.

    Parameters
    ----------
    *parts : str
        The path below the project's root, for example ``"models", "lenet.safetensors"``.

    Returns
    -------
    Path
        An existing file or folder.

    Raises
    ------
    StudioError
        If the installation lacks it.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise StudioError(
        f"The shipped file {'/'.join(parts)} is missing from {_PACKAGE}; install LDAM Studio again."
    )
