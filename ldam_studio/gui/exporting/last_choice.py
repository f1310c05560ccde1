"""What was exported last and where to, for the next export."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.files import read_state, set_aside, write_state


class Choice(msgspec.Struct):
    """The last choice; the defaults are those of the first export.

    Attributes
    ----------
    what
        A kind of picture, see `dialog.KINDS`.
    zoom
        Side of the square that each image pixel becomes, in pixels.
    folder
        The folder of the last file; empty before the first.
    """

    what: str = "average"
    zoom: Annotated[int, msgspec.Meta(ge=1, le=2**16)] = 8
    folder: str = ""


class LastChoice:
    """Keeps the last choice in a file.

    Parameters
    ----------
    file
        A JSON file; None keeps the choice only as long as this object.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._choice = Choice()

    def read(self) -> Choice:
        """Return the last choice; a damaged file is set aside."""
        if self.file is not None and self.file.exists():
            try:
                self._choice = msgspec.json.decode(read_state(self.file), type=Choice)
            except (StudioError, msgspec.DecodeError, RecursionError):
                set_aside(self.file)
        return self._choice

    def write(self, choice: Choice) -> None:
        """Keep a choice; where the file cannot be written, only as long as this object."""
        self._choice = choice
        if self.file is not None:
            with suppress(StudioError):
                write_state(self.file, msgspec.json.encode(choice))
