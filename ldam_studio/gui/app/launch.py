"""Opens the studio from a command. Importing this module does not import Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.gui.app.start import Start


def load_qt() -> None:
    """Import Qt.

    Raises
    ------
    StudioError
        If Qt is not installed, or a system library that it needs is missing.
    """
    # Windows needs torch's libraries loaded before Qt's.
    import torch  # noqa: F401

    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        raise StudioError(
            f"the window needs Qt, which does not load ({error}): run make run, which names what "
            "is missing, or use ldam-studio render"
        ) from error


def open_studio(start: Start) -> int:
    """Open the studio and return the exit code.

    Raises
    ------
    StudioError
        If Qt does not load, or the named file cannot be opened.
    """
    load_qt()
    from ldam_studio.gui.app.main import main

    return main(start)
