"""Folders of checkpoints that a test has just written, and looks at once."""

from __future__ import annotations

import math
from pathlib import Path

from ldam_studio.networks.weights.checkpoint_folder import Folder


def at_rest(place: Path) -> Folder:
    """Return a folder in whose eyes whatever lies there was written long ago."""
    return Folder(place, now=lambda: math.inf)
