"""The one exception that is meant for the person using the program."""

from __future__ import annotations


class StudioError(Exception):
    """Something the user can put right, told in one plain sentence.

    The message says what went wrong, where (which file, layer or setting), and what to do.
    The command line prints it on standard error and exits with code 2; the window shows it and
    goes on.
    """
