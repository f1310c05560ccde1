"""The command line: one parser; each sub-command's module is imported only when it is called.

A sub-command's module has two functions: ``add_arguments(parser)`` adds its flags, and ``run(args)
-> int`` does the work and returns the exit code. It raises `StudioError` for problems that the user
can solve. Importing late makes ``--help`` fast, and ``render`` works without Qt.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ldam_studio import __version__
from ldam_studio.commands.table import COMMANDS, GROUPS
from ldam_studio.errors import StudioError


class _Parser(argparse.ArgumentParser):
    """A parser that adds its flags when it is first used, and fails with one sentence.

    Parameters
    ----------
    module : str
        The sub-command's module, or empty for a parser that only has sub-commands.
    """

    def __init__(self, *args: Any, module: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Import the sub-command's module, let it add its flags, and parse."""
        if self._module:
            module = importlib.import_module(self._module)
            self._module = ""
            module.add_arguments(self)
            self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise a `StudioError`; argparse itself would print its usage and exit."""
        raise StudioError(f"{message} ({self.prog} --help lists all flags)")


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = _Parser(
        prog="ldam-studio",
        description="Watch Langevin chains draw what a network's neurons respond to.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ldam-studio {__version__}")
    places = {"": parser.add_subparsers(title="commands", metavar="COMMAND", required=True)}
    for words, (module, text) in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        if group not in places:
            below = places[""].add_parser(
                group, help=GROUPS[group], description=GROUPS[group], allow_abbrev=False
            )
            places[group] = below.add_subparsers(title="commands", metavar="COMMAND", required=True)
        places[group].add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            module=module,
            allow_abbrev=False,
        )
    return parser


def with_command(arguments: Sequence[str]) -> Sequence[str]:
    """Return arguments that begin with a command; without one, they are for the window.

    These are none at all, a flag, a link, or a file, which is known by a dot or a slash.
    """
    first = arguments[0] if arguments else "--fresh"
    if first.startswith("-"):
        is_command = first in {"-h", "--help", "--version"}
    else:
        is_command = first in {words.partition(" ")[0] for words in COMMANDS}
        is_command |= not any(mark in first for mark in "./\\:")
    return arguments if is_command else ["studio", *arguments]


def _with_signs(arguments: Sequence[str]) -> list[str]:
    """Join ``--neuron`` and a neuron with a minus sign, which argparse would take for a flag."""
    joined: list[str] = []
    for argument in arguments:
        signed = argument.startswith("-") and not argument.startswith("--") and argument != "-h"
        if joined and joined[-1] == "--neuron" and signed:
            joined[-1] = f"--neuron={argument}"
        else:
            joined.append(argument)
    return joined


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        0 on success, 2 after a user's error, 130 after Ctrl-C.
    """
    # Busy-waiting OpenMP threads would slow the window down on few cores. The library reads this
    # variable when it is loaded, so it must be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if argv is None else argv)
    _print_anything()
    try:
        try:
            args = build_parser().parse_args(_with_signs(with_command(arguments)))
            code: int = args.run(args)
        finally:
            sys.stdout.flush()
    except StudioError as error:
        print(f"ldam-studio: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC) or error.filename is not None:
            raise
        return _cannot_print(error)
    return code


def _print_anything() -> None:
    """Print escapes for letters that the terminal's encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _cannot_print(error: OSError) -> int:
    """Return the exit code after standard output was closed, as by ``| head``, or is full."""
    # Python would try again at its end, and print a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return 141  # as if the signal had ended it
    print(f"ldam-studio: the output cannot be written ({error.strerror}).", file=sys.stderr)
    return 2
