"""What was exported last and where to, for the next export."""

from __future__ import annotations

from typing import Annotated

import msgspec


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
