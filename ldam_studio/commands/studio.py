"""The ``studio`` sub-command: its flags. Nothing of Qt is imported before `run`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.errors import StudioError

ABOUT_NETWORK: tuple[str, ...] = ("weights", "partial", "labels", "input_size", "mean", "std")
ABOUT_NETWORK += ("minimum", "maximum", "rest", "show_channels")
ABOUT_NETWORK += ("compare", "compare_weights", "compare_set")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio studio``."""
    # Not above: every command's help would pay for torch.
    from ldam_studio.commands.shared.beside import add_beside
    from ldam_studio.commands.shared.flags import add_network, add_preset

    parser.add_argument("picture", nargs="?", type=Path, help="an exported PNG to open")
    parser.add_argument(
        "--fresh", action="store_true", help="start anew, not with the last session"
    )
    add_window(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="where a run with no display writes"
    )
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="how long a run with no display lasts"
    )
    add_preset(parser)
    add_network(parser, default=None)
    add_beside(parser)


def add_window(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every command that opens the window."""
    from ldam_studio.commands.shared.flags import threads

    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16")
    parser.add_argument(
        "--threads", type=threads, default=0, help="of the sampler; auto (the default) tries"
    )
    parser.add_argument("--data", type=Path, help="folder with the data sets")


def run(args: argparse.Namespace) -> int:
    """Open the studio; returns the exit code.

    Raises
    ------
    StudioError
        When flags contradict each other, or Qt cannot be loaded.
    """
    if args.network is None:
        values = {name: getattr(args, name) for name in ABOUT_NETWORK}
        given = [name for name, value in values.items() if value is not None and value is not False]
        if given:
            flag = given[0].replace("_", "-")
            raise StudioError(f"--{flag} says something about --network; give that too.")
    elif args.picture is not None:
        raise StudioError("A picture names its own network; give either it or --network.")
    return open_window(args)


def open_window(args: argparse.Namespace) -> int:
    """Import Qt and open the studio; returns the exit code.

    Raises
    ------
    StudioError
        When Qt is not installed, or one of the system's libraries is missing.
    """
    # Windows needs torch's libraries loaded before Qt's.
    import torch  # noqa: F401

    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        raise StudioError(
            f"the window needs Qt and it does not load ({error}): run make run, which names what "
            "is missing, or use ldam-studio render"
        ) from error
    from ldam_studio.gui.app.main import main

    code: int = main(args)
    return code
