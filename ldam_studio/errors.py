"""The one exception whose message is shown to the user."""

from __future__ import annotations


class StudioError(Exception):
    """A problem that the user can solve, described in one plain sentence.

    The message says what went wrong, where (which file, layer or setting), and what to do. The
    command line prints it on standard error and exits with code 2; the window shows it and
    continues.
    """


def in_short(error: BaseException) -> str:
    """Return an exception's type and the first line of its message, for use in a sentence."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0].strip()}" if said else type(error).__name__
