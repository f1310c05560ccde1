"""The one exception that is meant for the person using the program."""

from __future__ import annotations


class StudioError(Exception):
    """Something the user can put right, told in one plain sentence.

    The message says what went wrong, where (which file, layer or setting), and what to do.
    The command line prints it on standard error and exits with code 2; the window shows it and
    goes on.
    """


def in_short(error: BaseException) -> str:
    """Return an exception's type and the first line of what it says, to be put into a sentence."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0].strip()}" if said else type(error).__name__
