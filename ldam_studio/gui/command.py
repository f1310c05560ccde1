"""The ``studio`` sub-command: its flags. Nothing of Qt is imported before `run`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.errors import StudioError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio studio``."""
    parser.add_argument("picture", nargs="?", type=Path, help="an exported PNG to open")
    parser.add_argument(
        "--fresh", action="store_true", help="start anew, not with the last session"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16")
    parser.add_argument("--threads", type=int, default=1, help="threads of the sampler")
    parser.add_argument("--data", type=Path, help="folder with the data sets")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="where a run with no display writes"
    )
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="how long a run with no display lasts"
    )


def run(args: argparse.Namespace) -> int:
    """Open the studio; returns the exit code.

    Raises
    ------
    StudioError
        When Qt is not installed or one of the system's libraries is missing.
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
    from ldam_studio.gui.app import main

    code: int = main(args)
    return code
