"""The pages of the guide: their files, titles and texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page of the guide: its title in the table of contents, and its file."""

    title: str
    path: Path


def contents() -> tuple[Page, ...]:
    """Return all pages in the order of the guide's table of contents.

    Raises
    ------
    StudioError
        If the installation lacks the guide.
    """
    index = asset("resources", "guide", "index.md")
    return tuple(Page(title, index.parent / name) for title, name in LINK.findall(read(index)))


def read(path: Path) -> str:
    """Return a page's Markdown without its comments, which Qt's reader does not understand.

    Raises
    ------
    StudioError
        If the file cannot be read.
    """
    try:
        return COMMENT.sub("", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} cannot be read ({error}): install LDAM Studio again.") from error
