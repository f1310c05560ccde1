"""The command line: one parser; each sub-command's module is imported only when it is called.

A sub-command's module has two functions: ``add_arguments(parser)`` adds its flags, and
``run(args) -> int`` does the work and returns the exit code. It raises `StudioError` for what the
user can put right. So ``--help`` answers at once, and ``render`` needs no Qt.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ldam_studio import __version__
from ldam_studio.errors import StudioError

COMMANDS = {
    "studio": ("ldam_studio.commands.studio", "open the window (also what no sub-command means)"),
    "watch": ("ldam_studio.commands.watch", "watch a network's checkpoints while it is trained"),
    "render": ("ldam_studio.commands.render", "sample without a window and write the pictures"),
    "replay": ("ldam_studio.commands.replay", "run an exported picture again and compare it"),
    "info": ("ldam_studio.commands.info", "list the networks, or the layers of one"),
    "modes": (
        "ldam_studio.commands.modes",
        "count the pictures that excite a neuron, and group them",
    ),
    "pictures": ("ldam_studio.commands.pictures", "make the pictures in the README"),
    "train mnist": ("ldam_studio.commands.train.mnist", "train LeNet on MNIST"),
    "train cifar10": ("ldam_studio.commands.train.cifar10", "train a VGG on CIFAR-10"),
    "train live": (
        "ldam_studio.commands.train.live",
        "train LeNet while the studio watches it; commands come on the standard input",
    ),
    "train discriminator": (
        "ldam_studio.commands.train.discriminator",
        "train a discriminator along with the chains",
    ),
    "train judge": ("ldam_studio.commands.train.judge", "train a judge of the paper's figures"),
    "train digits-sheet": (
        "ldam_studio.commands.train.digits_sheet",
        "lay out the sample of real digits that is shipped",
    ),
    "paper fig1": (
        "ldam_studio.commands.paper.fig1",
        "the paper's Figure 1: five discriminator weights, ten classes",
    ),
    "paper fig4": (
        "ldam_studio.commands.paper.fig4",
        "the paper's Figure 4: with and without L2, raw and averaged",
    ),
    "paper fig5": (
        "ldam_studio.commands.paper.fig5",
        "the paper's Figure 5: LeNet as its training ended, and with averaged parameters",
    ),
    "paper fig6": (
        "ldam_studio.commands.paper.fig6",
        "the paper's Figure 6: CIFAR-10 without regulariser, with L2, and averaged",
    ),
    "paper fig7": (
        "ldam_studio.commands.paper.fig7",
        "the paper's Figure 7: CIFAR-10 with a discriminator, from none to much of it",
    ),
    "paper fig8": (
        "ldam_studio.commands.paper.fig8",
        "the paper's Figure 8: CIFAR-10, with averaged parameters, and with a discriminator too",
    ),
    "paper fig9": (
        "ldam_studio.commands.paper.fig9",
        "the paper's Figure 9: one class of CIFAR-10 in several colour temperatures",
    ),
    "paper fig10": (
        "ldam_studio.commands.paper.fig10",
        "the paper's Figure 10: a discriminator of photographs, from little to much",
    ),
    "paper fig11": (
        "ldam_studio.commands.paper.fig11",
        "the paper's Figure 11: two architectures side by side, and where their gradients sit",
    ),
    "paper modes": (
        "ldam_studio.commands.paper.modes",
        "whether averaged parameters leave a neuron fewer pictures, over several trainings",
    ),
    "paper named": (
        "ldam_studio.commands.paper.named",
        "how often another network names the class that was asked for, as a table",
    ),
    "paper filters": (
        "ldam_studio.commands.paper.filters",
        "a network's first-layer filters beside what its chains make of them",
    ),
}
GROUPS = {"train": "train the shipped networks", "paper": "make the paper's figures again"}


class _Parser(argparse.ArgumentParser):
    """A parser that adds its flags when it is first used and fails in one sentence.

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
        """Raise a `StudioError` where argparse would print its usage."""
        raise StudioError(f"{message} ({self.prog} --help lists what there is)")


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


def _with_signs(arguments: Sequence[str]) -> list[str]:
    """Join ``--neuron`` and a neuron with a minus before it, which argparse takes for a flag."""
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
        The arguments without the program's name; those of the process when left out.

    Returns
    -------
    int
        0 when all went well, 2 after an error of the user's, 130 after Ctrl-C.
    """
    # OpenMP's spinning threads starve the window on few cores; the library reads this when it is
    # loaded, so it has to be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if argv is None else argv)
    general = {"-h", "--help", "--version"}
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in general):
        arguments.insert(0, "studio")
    try:
        args = build_parser().parse_args(_with_signs(arguments))
        code: int = args.run(args)
    except StudioError as error:
        print(f"ldam-studio: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code
