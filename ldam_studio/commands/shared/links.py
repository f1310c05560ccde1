"""What a command is given to open: a file, or a link."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ldam_studio.export.links import is_link


def file_or_link(text: str) -> Path | str:
    """Return the path of a file, also of one that a desktop names by its URL, or a link."""
    if is_link(text):
        return text
    return Path(url2pathname(urlsplit(text).path) if text.startswith("file:///") else text)
