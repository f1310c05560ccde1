"""A recipe as one line of text that can be sent in a message: ``ldam:`` and letters.

After the prefix comes the version of the form, then the recipe in base64url: its JSON without the
hash, which follows from the rest, compressed by zlib. All settings stay in it, also those at their
defaults, because a later version may have other defaults. A fixed text with what is in most recipes
(`WORDS`) is known to the compression, so that it costs next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from functools import cache
from pathlib import Path

from ldam_studio.assets import asset
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.kept_weights import overwritten_in
from ldam_studio.export.recipe import LIMIT, Recipe
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.files import read_bytes, state_folder
from ldam_studio.networks.sources.in_memory import is_in_memory

PREFIX = "ldam:"
VERSION = "1"
WORDS = {"1": ("resources", "links", "words-1.txt")}
"""The text that the compression knows, for each version; a published one never changes."""

MOST_LETTERS = 8_000
"""Letters of a link that is made: a command line of Windows takes about as many."""
MOST_READ = 1_000_000
"""Letters of a link that is read, with the whitespace in it."""
MOST_IN_FILE = 2**29
"""Bytes of a figure in which a link is looked for."""
IN_FILE = re.compile(rb"<dc:source>(ldam:[0-9A-Za-z_-]+)</dc:source>")
FIGURES = (".pdf", ".svg")
"""Suffixes of files that carry a link."""


def is_link(text: str) -> bool:
    """Return whether text begins as a link."""
    return text.lstrip(" \t\r\n<\"'").lower().startswith(PREFIX)


def no_folder() -> Path:
    """Return the folder of a recipe that lies in none: there is nothing in it."""
    return state_folder() / "links"


def link_of(state: SessionState, shown: Shown) -> str:
    """Return the link to a picture of `state`.

    Raises
    ------
    StudioError
        If there is nothing to show, or the recipe needs a file beside it or is too long.
    """
    for lane in state.lanes:
        if is_in_memory(lane.network.name):
            raise StudioError(
                f"{lane.network.name} is a module in the memory of a Python program, which no link "
                "can name; export a picture, which that program can replay."
            )
    recipe = Recipe.of(state, shown, picture_of(state, shown))
    if recipe.session_file is not None or "at" in recipe.data["session"]:
        raise StudioError(
            "This session goes on from a session file, which no link can carry; export a picture, "
            "which is written together with what it needs."
        )
    if lost := overwritten_in(state):
        raise StudioError(
            f"The training overwrites {min(lost).name}, so that no link can be replayed; export a "
            "picture, which is written together with its weights."
        )
    link = packed(recipe)
    if len(link) > MOST_LETTERS:
        raise StudioError(
            f"A link to this session would have {len(link):,} letters, and messages take about "
            f"{MOST_LETTERS:,}; export a picture, which carries any number of changes."
        )
    return link


def packed(recipe: Recipe) -> str:
    """Return a recipe as a link, however long."""
    data = {name: value for name, value in recipe.data.items() if name != "sha256"}
    work = zlib.compressobj(9, zdict=_words(VERSION))
    compressed = work.compress(Recipe(data).text.encode()) + work.flush()
    return PREFIX + VERSION + base64.urlsafe_b64encode(compressed).decode().rstrip("=")


def unpacked(link: str) -> Recipe:
    """Read a link; whitespace in it, as mail programs insert it, does not matter.

    Raises
    ------
    StudioError
        If the text is no link, incomplete, damaged, of a later version, or its recipe is not valid.
    """
    if len(link) > MOST_READ:
        raise StudioError("This text is much longer than any link; copy the link alone.")
    text = "".join(link.split()).strip("<>\"'")
    if not is_link(text):
        raise StudioError(f"A link begins with {PREFIX}, and this text does not; copy it again.")
    version, letters = text[len(PREFIX) :][:1], text[len(PREFIX) + 1 :]
    if version and version not in WORDS:
        raise StudioError("This link was made by a later version of LDAM Studio; update this one.")
    work = zlib.decompressobj(zdict=_words(version or VERSION))
    try:
        compressed = base64.b64decode(letters + "=" * (-len(letters) % 4), b"-_", validate=True)
        data = work.decompress(compressed, LIMIT)
    except (binascii.Error, ValueError, zlib.error):
        raise StudioError(
            "This link is damaged or incomplete; copy the whole line again."
        ) from None
    if work.unconsumed_tail:
        raise StudioError(f"This link holds more than any recipe ({LIMIT:,} bytes).")
    if not work.eof or work.unused_data:
        raise StudioError("This link is incomplete; copy the whole line, up to its last letter.")
    return Recipe.parse(_with_hash(data), "the link")


def link_in(path: Path) -> str:
    """Return the link that an exported figure carries.

    Raises
    ------
    StudioError
        If the file cannot be read, or carries none.
    """
    found = IN_FILE.search(read_bytes(path, MOST_IN_FILE))
    if found is None:
        raise StudioError(
            f"{path} contains no recipe: either LDAM Studio did not export it, or another program "
            "saved it again without the recipe; choose the figure as exported."
        )
    return found[1].decode()


def _with_hash(data: bytes) -> str:
    """Return a recipe's JSON with its hash; what is no JSON stays as it is."""
    try:
        found = json.loads(data)
        return Recipe(found).having().text if isinstance(found, dict) else ""
    except (ValueError, RecursionError):
        return ""


@cache
def _words(version: str) -> bytes:
    return asset(*WORDS[version]).read_bytes()
