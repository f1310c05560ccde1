"""``ldam-studio atlas-page``: the page to browse an atlas, or two of them side by side."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ldam_studio.atlas.page.writing import (
    Written,
    on_different_drives,
    write_comparison,
    write_page,
)
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.commands.shared.telling import Telling
from ldam_studio.progress import Stopped
from ldam_studio.scripting.interrupt import interruptible

NAMED = 3
"""Damaged pictures that are named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("folder", type=Path, help="the folder of an atlas")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FOLDER",
        help="another atlas, to compare with: its page is written, too, and compare.html, which "
        "shows both. It stays in its place; move both folders together",
    )
    parser.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Write the page; return the exit code, 130 after Ctrl-C.

    Raises
    ------
    StudioError
        If a folder has no atlas, or cannot be read or written to.
    """
    written = written_page(args.folder)
    beside = written_page(args.beside) if written and args.beside else None
    if written is None or (args.beside and beside is None):
        print("stopped; the same command goes on later", file=sys.stderr)
        return INTERRUPTED
    path, count = written.path, f"{written.neurons:,} neurons"
    report: dict[str, Any] = {"neurons": written.neurons, "damaged": list(written.damaged)}
    if beside is not None:
        count = f"{written.neurons:,} and {beside.neurons:,} neurons"
        report["beside"] = {"neurons": beside.neurons, "damaged": list(beside.damaged)}
        path = write_comparison(args.folder, args.beside)
        if on_different_drives(args.folder, args.beside):
            print(
                f"{args.folder} and {args.beside} are on different drives: the page finds the "
                "other atlas only while both stay where they are.",
                file=sys.stderr,
            )
    print(json.dumps({"page": str(path)} | report) if args.json else f"page: {path} ({count})")
    return 0


def written_page(folder: Path) -> Written | None:
    """Write the page of an atlas, with progress; return None after Ctrl-C.

    Raises
    ------
    StudioError
        If the folder has no atlas, or cannot be read or written to.
    """
    with interruptible() as wish, progress() as bar:
        telling = Telling(bar, wish)
        try:
            with telling.listener.heard_on():
                written = write_page(folder)
        except Stopped:
            return None
    for sentence in written.damaged[:NAMED]:
        print(f"ldam-studio: {sentence} The page is without it.", file=sys.stderr)
    if (more := len(written.damaged) - NAMED) > 0:
        print(f"ldam-studio: {more} other pictures cannot be read.", file=sys.stderr)
    return written
