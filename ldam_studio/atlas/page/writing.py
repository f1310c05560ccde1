"""Writing the page of an atlas; only what has changed is read and written anew.

Each group's sheets have a record beside them, which is written with them. Whatever ends the
writing, also a kill, groups that have a record are not read again.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from ldam_studio.assets import asset
from ldam_studio.atlas.cluster import cores
from ldam_studio.atlas.folder import Index, read_index
from ldam_studio.atlas.page.data import script_of
from ldam_studio.atlas.page.finding import FILES, Group, groups_in
from ldam_studio.atlas.page.sheets import KIND, Sheet, files_of, sheet_of
from ldam_studio.errors import StudioError
from ldam_studio.files import (
    is_regular,
    is_same,
    read_state,
    remove_temporaries,
    write_together,
)
from ldam_studio.progress import tell

PAGE, COMPARISON = "index.html", "compare.html"
DATA = "data.js"
PARTS = ("page.css", "store.js", "sprite.js", "grid.js", "closeup.js", "page.js")
"""Files of the page that are the same for every atlas, in the order in which they are loaded."""
SHEET = re.compile(r".+\+\d+(\.\d+)?-[0-9a-f]{16}((s\d+)?\.(jpg|webp)|\.json)", re.DOTALL)
"""Names of sheets and of their records."""
DOING = "writing the page"
POLL_S = 0.2
LEFT_S = 3600.0


@dataclass(frozen=True)
class Written:
    """A page that was written.

    Attributes
    ----------
    path
        The page of this atlas alone, or of both.
    neurons
        How many it shows.
    sheets
        How many groups of neurons were read anew.
    damaged
        A sentence for each picture that cannot be read.
    """

    path: Path
    neurons: int
    sheets: int
    damaged: tuple[str, ...]


def write_page(folder: Path) -> Written:
    """Write the page of an atlas, from what is in its folder.

    It tells how far it is (`progress.tell`), which also stops it: the page is then as it was, and
    what was read is not read again.

    Raises
    ------
    StudioError
        If the folder has no atlas, cannot be read or written to, or the disk is full. The page is
        then as it was, too.
    """
    index, place = read_index(folder), folder / FILES
    if place.is_symlink():  # in the folder of a stranger, to where other files would be replaced
        raise StudioError(f"{place} is a link to another folder; remove it.")
    groups = list(groups_in(folder))
    known = {group.name: _remembered(place, group) for group in groups}
    missing = [group for group in groups if known[group.name] is None]
    known |= {group.name: sheet for group, sheet in _made(folder, missing, _chains(index))}
    sheets = {name: sheet for name, sheet in known.items() if sheet is not None}
    files = {place / DATA: script_of(index, sheets)}
    files |= {place / name: asset("resources", "atlas", name).read_bytes() for name in PARTS}
    page = _html([FILES], compared=is_regular(folder / COMPARISON))
    _write_changed(files | {folder / PAGE: page})
    wanted = {name for group, sheet in sheets.items() for name in files_of(group, sheet)}
    _tidy(place, wanted | {_record(group) for group in groups})
    return Written(
        folder / PAGE,
        sum(len(sheet.kept) for sheet in sheets.values()),
        len(missing),
        tuple(sentence for sheet in sheets.values() for sentence in sheet.damaged),
    )


def write_comparison(folder: Path, other: Path) -> Path:
    """Write a page that shows two atlases, whose own pages are there, side by side.

    It finds the other one by its place relative to this one's. This one's own page leads to it.

    Raises
    ------
    StudioError
        If both are the same, they are on different drives, or nothing can be written.
    """
    if is_same(folder, other):
        raise StudioError(f"{other} is the same atlas; give another one with --beside.")
    try:
        between = os.path.relpath(other.resolve(), folder.resolve())
    except ValueError:  # only on Windows
        raise StudioError(
            f"{folder} and {other} are on different drives, so that no page can show both; copy "
            "one of them to the other's drive."
        ) from None
    there = quote(Path(between).as_posix(), errors="surrogateescape")
    path = folder / COMPARISON
    pages = {path: _html([FILES, f"{there}/{FILES}"]), folder / PAGE: _html([FILES], compared=True)}
    _write_changed(pages)
    return path


def on_different_drives(folder: Path, other: Path) -> bool:
    """Return whether two folders are on different drives, so that they do not move together."""
    return folder.stat().st_dev != other.stat().st_dev


def _html(places: list[str], *, compared: bool = False) -> bytes:
    """Return the page.

    Parameters
    ----------
    places
        Those of the atlases' data, as addresses.
    compared
        Whether there is a comparison, to which it leads.
    """
    text = asset("resources", "atlas", PAGE).read_text(encoding="utf-8")
    scripts = [f'<script defer src="{html.escape(place)}/{DATA}"></script>' for place in places]
    text = text.replace("<!-- atlases -->", "\n".join(scripts))
    if compared:
        text = text.replace('id="comparison" hidden', 'id="comparison"')
    return text.replace('data-atlases="1"', f'data-atlases="{len(places)}"').encode()


def _chains(index: Index) -> int:
    chains = index.atlas.get("chains")
    return max(1, chains) if isinstance(chains, int) else 1


def _record(group: Group) -> str:
    """Return the name of the file that says what is known of a group's sheets."""
    return f"{group.name}-{group.stamp(KIND)}.json"


def _remembered(place: Path, group: Group) -> Sheet | None:
    """Return the sheets that were made of a group before; None if they are not all there."""
    path = place / _record(group)
    if not is_regular(path):
        return None
    try:
        sheet = msgspec.json.decode(read_state(path), type=Sheet)
    except (StudioError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # it only saves time
    of_group = (sheet.stamp, sheet.folder) == (group.stamp(KIND), group.folder)
    whole = all(is_regular(place / name) for name in files_of(group.name, sheet))
    return sheet if of_group and whole else None


def _made(folder: Path, groups: list[Group], chains: int) -> Iterator[tuple[Group, Sheet]]:
    """Make sheets on all cores; yield each when its files are written."""
    total, done = sum(len(group.files) for group in groups), 0
    with ThreadPoolExecutor(cores()) as pool:
        running: dict[Future[Sheet], Group] = {}
        waiting = iter(groups)
        try:
            tell(DOING, 0, total)
            while True:
                while len(running) < 2 * cores() and (group := next(waiting, None)):
                    running[pool.submit(_write_sheet, folder, group, chains)] = group
                if not running:
                    return
                ended, _ = wait(running, POLL_S, FIRST_COMPLETED)
                for future in ended:
                    group = running.pop(future)
                    done += len(group.files)
                    yield group, future.result()
                tell(DOING, done, total)
        finally:
            pool.shutdown(cancel_futures=True)


def _write_sheet(folder: Path, group: Group, chains: int) -> Sheet:
    sheet, files = sheet_of(folder, group, chains)
    # The record is renamed last: where it is, its sheets are, too.
    files |= {_record(group): msgspec.json.encode(sheet)}
    write_together({folder / FILES / name: data for name, data in files.items()})
    return sheet


def _write_changed(files: dict[Path, bytes]) -> None:
    write_together({path: data for path, data in files.items() if not _has(path, data)})


def _has(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _tidy(place: Path, wanted: set[str]) -> None:
    """Remove the sheets of former pages."""
    remove_temporaries(place, LEFT_S)
    with os.scandir(place) as entries:
        names = [each.name for each in entries if SHEET.fullmatch(each.name)]
    for name in names:
        if name not in wanted:
            with contextlib.suppress(OSError):  # a browser may have it open
                (place / name).unlink()
