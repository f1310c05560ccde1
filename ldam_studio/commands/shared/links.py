"""What a command is given to open: a file, or a link."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ldam_studio.export.links import FIGURES, is_link, link_in, no_folder


def file_or_link(text: str) -> Path | str:
    """Return the path of a file, also of one that a desktop names by its URL, or a link."""
    if is_link(text):
        return text
    return Path(url2pathname(urlsplit(text).path) if text.startswith("file:///") else text)


def given_link(named: Path | str) -> str | None:
    """Return a link that was given, or that in a figure; None for a picture."""
    if isinstance(named, str):
        return named
    return link_in(named) if named.suffix.lower() in FIGURES else None


def folder_of(named: Path | str) -> Path:
    """Return the folder in which files are looked for that a recipe names."""
    return named.parent if isinstance(named, Path) else no_folder()
