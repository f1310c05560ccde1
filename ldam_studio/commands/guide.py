"""``ldam-studio guide``: writes the lists in the guide that come from the program's own tables."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ldam_studio.commands.table import COMMANDS
from ldam_studio.errors import StudioError
from ldam_studio.files import write_together
from ldam_studio.sampler import settings_table
from ldam_studio.sampler.presets import PRESETS

MARKS = "<!-- written by ldam-studio guide -->", "<!-- end -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio guide``."""
    parser.add_argument(
        "--out", type=Path, default=Path("resources/guide"), help="the guide's folder"
    )


def run(args: argparse.Namespace) -> int:
    """Write each list between the markers in its page; return the exit code.

    Raises
    ------
    StudioError
        If a page cannot be read or written, or has no markers.
    """
    for name, listed in LISTS.items():
        path = args.out / name
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StudioError(f"{path} cannot be read ({error.strerror}).") from error
        write_together({path: with_list(text, listed(), name).encode()})
        print(path)
    return 0


def with_list(text: str, listed: str, name: str) -> str:
    """Return a page's text with `listed` between the markers.

    Raises
    ------
    StudioError
        If the page, called `name`, has no markers.
    """
    begin, end = MARKS
    between = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    if not between.search(text):
        raise StudioError(f"{name} needs a line {begin} and after it a line {end}.")
    return between.sub(lambda _: f"{begin}\n\n{listed}\n\n{end}", text)


def settings() -> str:
    """Return the description of each setting and of each preset."""
    rows = [(preset.label, f"`{preset.name}`", preset.help) for preset in PRESETS.values()]
    presets = _table(("preset", "name", "what it is for"), rows)
    return f"{settings_table.markdown()}\n\n## Presets\n\n{presets}"


def keys() -> str:
    """Return a table of all keys, in the order of the actions."""
    from ldam_studio.gui.window.entries import entries

    keyed = (entry for entry in entries() if entry.key)
    rows = [(f"`{entry.key}`", entry.text.rstrip("…"), entry.tip) for entry in keyed]
    return _table(("key", "action", "what it does"), rows)


def commands() -> str:
    """Return a table of all commands."""
    rows = [(f"`ldam-studio {words}`", text) for words, (_, text) in COMMANDS.items()]
    return _table(("command", "what it does"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


LISTS: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "keys.md": keys,
    "command-line.md": commands,
}
"""The pages with a list, each with the function that returns the list."""
