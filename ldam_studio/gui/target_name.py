"""Asks for the file that will be written, where nothing else is to be chosen."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from ldam_studio.files import free_path
from ldam_studio.gui.target_row import folder_for

if TYPE_CHECKING:
    from ldam_studio.gui.studio import Studio


def ask_for_target(studio: Studio, title: str, name: str, types: str) -> Path | None:
    """Ask for a file to write, beside the last one; None if it was cancelled.

    Parameters
    ----------
    name
        The suggested name, whose suffix is added to one without it.
    types
        The type in the file dialog's list, such as "Tables (*.csv)".
    """
    suggested = free_path(folder_for(studio.start_folder) / name)
    text, _ = QFileDialog.getSaveFileName(studio.places.root, title, str(suggested), types)
    if not text:
        return None
    path, suffix = Path(text), PurePath(name).suffix
    if path.suffix.lower() != suffix:  # the dialog has not asked about that one
        path = free_path(path.with_name(path.name + suffix))
    studio.start_folder = str(path.parent)
    return path
