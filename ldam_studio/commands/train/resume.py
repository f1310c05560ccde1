"""The flag ``--resume``, and what a training says when it is stopped."""

from __future__ import annotations

import argparse

from ldam_studio.training.kept import Kept


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add ``--resume``."""
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def stopped(kept: Kept) -> str:
    """Return the sentence that a training prints after Ctrl-C."""
    if not kept.done:
        return f"stopped before the first {kept.unit} was kept; start it again"
    done = f"stopped, {kept.unit} {kept.done} of {kept.of} is the last that was kept"
    return f"{done}; --resume goes on from there"
