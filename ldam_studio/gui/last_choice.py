"""What was chosen last in a dialog, for the next time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.files import read_state, set_aside, write_state

C = TypeVar("C", bound=msgspec.Struct)


class LastChoice(Generic[C]):
    """Keeps the last choice in a file.

    Parameters
    ----------
    first
        The choice before there is any; the file is read as one of its class.
    file
        A JSON file; None keeps the choice only as long as this object.
    """

    def __init__(self, first: C, file: Path | None = None) -> None:
        self.file = file
        self._choice = first

    def read(self) -> C:
        """Return the last choice; a damaged file is set aside."""
        if self.file is not None and self.file.exists():
            try:
                self._choice = msgspec.json.decode(read_state(self.file), type=type(self._choice))
            except (StudioError, msgspec.DecodeError, RecursionError):
                set_aside(self.file)
        return self._choice

    def write(self, choice: C) -> None:
        """Keep a choice; where the file cannot be written, only as long as this object."""
        self._choice = choice
        if self.file is not None:
            with suppress(StudioError):
                write_state(self.file, msgspec.json.encode(choice))
