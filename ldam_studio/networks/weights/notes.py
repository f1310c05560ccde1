"""What to tell the user about the weights that were taken from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ldam_studio.networks.weights.choice import SEPARATOR
from ldam_studio.networks.weights.shown import shown
from ldam_studio.networks.weights.state_dicts import Match

NAMED = 3  # that a sentence names
TOP = "at the top of the file"


def about(match: Match, file: Path, *, chosen: bool) -> tuple[str, ...]:
    """Return sentences about what a file has besides the weights, and what it lacks.

    Parameters
    ----------
    chosen
        Whether the user has chosen the set of weights.
    """
    sets = () if chosen else _sets(match, file)
    return (*sets, *_lacking(match, file), *_passed_over(match, file))


def _sets(match: Match, file: Path) -> tuple[str, ...]:
    if not match.others:
        return ()
    return (
        f"The weights are those {_place(match.key)}; {shown(file.name)} also has weights "
        f"{_listed([_place(key) for key in match.others])}, which "
        f"--weights FILE{SEPARATOR}KEY chooses.",
    )


def _place(key: str) -> str:
    return f"in {shown(key)}" if key else TOP


def _lacking(match: Match, file: Path) -> tuple[str, ...]:
    """Return a note about the weights that a file lacked, if fitting in part was allowed."""
    # In `misshapen`, each name is followed by both shapes.
    names = [*match.missing, *(each.partition(" ")[0] for each in match.misshapen)]
    if not names:
        return ()
    are, keep = ("weights are", "keep their initial values")
    if len(names) == 1:
        are, keep = ("weight is", "keeps its initial value")
    return (
        f"{len(names)} {are} not in {shown(file.name)}, or not in this shape, and {keep}: "
        f"{_listed(names)}.",
    )


def _passed_over(match: Match, file: Path) -> tuple[str, ...]:
    names = match.passed_over
    if not names:
        return ()
    are = "tensor is no weight" if len(names) == 1 else "tensors are no weights"
    return (
        f"{len(names)} {are} of the network, but of its training, and passed over: "
        f"{_listed(names)}.",
    )


def _listed(names: Sequence[str]) -> str:
    more = ", …" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more
