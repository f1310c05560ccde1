"""``ldam-studio record``: runs the sessions of exported pictures again, as an animation."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.links import file_or_link, folder_of, given_link
from ldam_studio.commands.shared.nearby import add_nearby, nearby_of
from ldam_studio.commands.shared.progress import INTERRUPTED, ProgressLines, progress
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.animation import MOST_SIDE, Animation
from ldam_studio.export.animation.ends import overlap_of, with_meeting_ends
from ldam_studio.export.animation.panes import BOTH, WHAT
from ldam_studio.export.animation.recipes import Film, Wanted, key_of
from ldam_studio.export.animation.table import FORMATS, animation_writer, format_of
from ldam_studio.export.animation.unfinished import Unfinished
from ldam_studio.export.animation.words import frame_words, size_words
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.links import unpacked
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.shown import OF_ONE
from ldam_studio.files import check_target, is_same
from ldam_studio.networks.sources.families import short_name
from ldam_studio.scripting.interrupt import interruptible

MOST_PICTURES = 16
MOST_STEPS = 1_000_000_000
SUFFIXES = ", ".join(suffix for row in FORMATS.values() for suffix in row.suffixes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "pictures",
        type=file_or_link,
        nargs="+",
        metavar="PICTURE",
        help="pictures or figures that LDAM Studio exported, or links; several are shown side by "
        "side",
    )
    parser.add_argument(
        "--steps",
        metavar="FIRST-LAST",
        help="the steps that are shown, such as 0-2000; after the one of the export, the session "
        "goes on with its settings. Default: from 0 to that of the first picture",
    )
    parser.add_argument(
        "--every",
        type=flags.whole_number("--every", 1, MOST_STEPS),
        default=1,
        metavar="N",
        help="steps from one frame to the next; default 1",
    )
    parser.add_argument(
        "--fps", type=float, default=30.0, metavar="N", help="frames per second; default 30"
    )
    parser.add_argument(
        "--size",
        type=flags.whole_number("--size", 64, MOST_SIDE),
        default=720,
        metavar="PIXELS",
        help="height of the animation at most; pixels are enlarged by a whole number. Default 720",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=f"with one of {SUFFIXES}"
    )
    parser.add_argument(
        "--what",
        choices=tuple(WHAT),
        help="default: what each picture shows. " + "; ".join(f"{k}: {v}" for k, v in WHAT.items()),
    )
    parser.add_argument(
        "--title",
        action="append",
        metavar="TEXT",
        help="a text above a picture; give it once for each. Default: network and neuron",
    )
    parser.add_argument(
        "--plain", action="store_true", help="leave the texts above the pictures out"
    )
    parser.add_argument(
        "--loop",
        action="store_true",
        help="let the last half second fade into the first one, so that a repeated animation does "
        "not jump",
    )
    add_nearby(parser)


def run(args: argparse.Namespace) -> int:
    """Record; return the exit code, 130 after Ctrl-C, from where the same command goes on.

    Raises
    ------
    StudioError
        If a flag is out of range, a picture has no recipe of one session or cannot be replayed, or
        the file cannot be written.
    """
    format_of(args.out)
    check_target(args.out)
    if any(is_same(args.out, named) for named in args.pictures if isinstance(named, Path)):
        raise StudioError(f"{args.out} is recorded and would be replaced; choose another --out.")
    if len(args.pictures) > MOST_PICTURES:
        raise StudioError(f"At most {MOST_PICTURES} pictures are shown side by side.")
    recipes = [_recipe_of(named) for named in args.pictures]
    titles = () if args.plain else _titles(args, recipes)
    wanted = Wanted(_steps(args, recipes[0].step), args.size, args.what, titles)
    unfinished = Unfinished.beside(args.out, key_of(recipes, wanted))
    opened = [
        (recipe, nearby_of(args, folder_of(named)))
        for recipe, named in zip(recipes, args.pictures, strict=True)
    ]
    film = Film(opened, wanted, unfinished)
    with (
        interruptible() as wish,
        progress() as bar,
        animation_writer(args.out, film.size, args.fps) as animation,
    ):
        overlap = overlap_of(film.size, args.fps) if args.loop else 0
        task, lines = bar.add_task("recording", total=film.steps), ProgressLines("recording")
        done = 0

        def on_step() -> bool:
            nonlocal done
            done += 1
            lines.tell(done, film.steps)
            bar.update(task, completed=done)
            return not wish.stop

        for picture in with_meeting_ends(film.frames(on_step), overlap):
            animation.add(picture)
    if film.is_stopped:
        print(f"{_in_words(animation)}; stopped, and the same command goes on", file=sys.stderr)
        return INTERRUPTED
    unfinished.remove()
    print(_in_words(animation))
    return 0


def _steps(args: argparse.Namespace, last: int) -> range:
    """Return the steps from the flags; `StudioError` if there are none."""
    if args.steps is None:
        return range(0, last + 1, args.every)
    found = re.fullmatch(r"(\d{1,20})-(\d{1,20})", args.steps)
    if found is None:
        raise StudioError(f"--steps takes two numbers, such as 0-2000, not {args.steps!r}.")
    first, last = int(found[1]), int(found[2])
    if first > last or last > MOST_STEPS:
        raise StudioError(
            f"--steps {args.steps} is no range of steps; the first comes before the last, which is "
            f"at most {MOST_STEPS:,}."
        )
    return range(first, last + 1, args.every)


def _recipe_of(named: Path | str) -> Recipe:
    link = given_link(named)
    return read_recipe(Path(named)) if link is None else unpacked(link)


def _titles(args: argparse.Namespace, recipes: list[Recipe]) -> tuple[str, ...]:
    """Return a title for each recipe; `StudioError` if some were given and some not."""
    if args.title is None:
        return tuple(_title(recipe, args.what or recipe.shown.what) for recipe in recipes)
    if len(args.title) != len(recipes):
        raise StudioError(
            f"The number of pictures is {len(recipes)}, and that of titles {len(args.title)}; give "
            "--title once for each picture."
        )
    return tuple(args.title)


def _title(recipe: Recipe, what: str) -> str:
    """Return the network's name, and the neuron if only one is shown."""
    lane = recipe.said.end.lanes[0]
    name = short_name(lane.network.name)
    if what not in (*OF_ONE, BOTH) and len(set(lane.neurons)) > 1:
        return name
    front = min(recipe.shown.front, len(lane.neurons) - 1)
    return f"{name}  {lane.neurons[front]}"


def _in_words(animation: Animation) -> str:
    length = f"{frame_words(animation.frames)}, {animation.seconds:.1f} s"
    return f"{animation.path}: {length}, {size_words(animation.bytes)}"
