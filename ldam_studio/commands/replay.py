"""``ldam-studio replay``: runs an exported picture's session again and compares the pixels."""

from __future__ import annotations

import argparse
import json
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

from ldam_studio.commands.shared.links import file_or_link, folder_of, given_link
from ldam_studio.commands.shared.nearby import add_nearby, nearby_of
from ldam_studio.commands.shared.progress import INTERRUPTED, ProgressLines, in_steps, progress
from ldam_studio.errors import StudioError, plain
from ldam_studio.export.links import unpacked
from ldam_studio.export.replay import Comparison, compare, compare_recipe
from ldam_studio.files import check_target, is_folder, write_together
from ldam_studio.scripting.interrupt import interruptible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "picture",
        type=file_or_link,
        help="a picture or figure that LDAM Studio exported, or a link",
    )
    parser.add_argument("others", nargs="*", help=argparse.SUPPRESS)
    add_nearby(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the new picture here")
    parser.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Run the session again; return 0 if the pixels are identical, else 1; 130 after Ctrl-C.

    Raises
    ------
    StudioError
        If it is not one picture, it has no recipe or was altered, weights are missing or have
        changed, the recipe names code, data or a download that was not allowed, or ``--out`` cannot
        be written.
    """
    _check_one_picture(args)
    if args.out is not None:
        check_target(args.out)
    nearby = nearby_of(args, folder_of(args.picture))
    link = given_link(args.picture)
    reached = (0, 0)
    with interruptible() as wish, progress() as bar:
        task, lines = bar.add_task("replaying", total=None), ProgressLines("replaying")

        def on_step(done: int, total: int) -> bool:
            nonlocal reached
            reached = (done, total)
            lines.tell(done, total)
            bar.update(task, completed=done, total=total)
            return not wish.stop

        if link is None:
            found = compare(args.picture, nearby, on_step)
        else:
            found = compare_recipe(unpacked(link), nearby, on_step)
    if found is None:
        done, total = reached
        print(f"stopped after {done:,} of {total:,} steps; nothing was compared", file=sys.stderr)
        return INTERRUPTED
    if args.out is not None:
        file = BytesIO()
        Image.fromarray(found.picture).save(file, "PNG")
        write_together({args.out: file.getvalue()})
    if args.json:
        print(
            json.dumps(
                {
                    "identical": found.identical,
                    "correlation": found.correlation,
                    "differences": list(found.differences),
                    "steps": found.steps,
                    "replayed": found.replayed,
                }
            )
        )
    else:
        print(in_words(found))
    return 0 if found.identical else 1


def _check_one_picture(args: argparse.Namespace) -> None:
    if args.others:
        raise StudioError(
            f"replay runs one picture, and {1 + len(args.others)} were given; run it once for each."
        )
    if isinstance(args.picture, Path) and is_folder(args.picture):
        raise StudioError(f"{args.picture} is a folder; give one of the pictures in it.")


def in_words(found: Comparison) -> str:
    """Return a few lines about how the two pictures compare."""
    if found.identical:
        first = f"identical: {_steps_of(found)} gave the same pixels"
    else:
        first = "not identical"
        if found.correlation is not None:
            first += f": the pixels correlate by {found.correlation:.4f}"
    different = found.differences or (
        () if found.identical else ("nothing recorded; torch may have been built differently",)
    )
    if not different:
        return first
    listed = "\n".join(f"  {plain(what)}" for what in different)
    return f"{first}\nwhat differs from the export:\n{listed}"


def _steps_of(found: Comparison) -> str:
    """Return which steps were run: all, or only the last ones that affect the picture."""
    if found.replayed == found.steps:
        return in_steps(found.steps)
    return f"the last {found.replayed:,} of {found.steps:,} steps, which determine the picture,"
