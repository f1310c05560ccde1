"""Makes the Qt application, and finds out which session it opens first."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QApplication

from ldam_studio.files import is_folder
from ldam_studio.gui.theme import theme
from ldam_studio.memory import share_one_heap

if TYPE_CHECKING:
    from ldam_studio.gui.app.start import Start
    from ldam_studio.gui.session.openings import Opening

SWITCH_S = 0.002
IN_MEMORY = (
    "This network is a module in the memory of a Python program: its session is not kept when the "
    "window closes, and its pictures are replayed only where the module is given again."
)


def make_application() -> QApplication:
    """Make and return the Qt application, with its name and theme."""
    # The sampler lets go of the interpreter in every torch operation; while the window holds it,
    # the sampler should not have to wait for the usual 5 ms to get it back.
    sys.setswitchinterval(SWITCH_S)
    share_one_heap()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("ldam-studio")
    app.setApplicationDisplayName("LDAM Studio")
    app.setDesktopFileName("ldam-studio")
    theme.apply(app)
    return app


def opening_of(start: Start) -> Opening | None:
    """Return how to open what the command line names: a file, link or network; None for nothing.

    None also for an atlas, which is shown beside the last session.

    Raises
    ------
    StudioError
        If the named file holds no session, or was altered.
    """
    if start.file is not None or start.link:
        from ldam_studio.gui.opening import file_kinds

        if start.file is None:
            return file_kinds.link_opening(start.link)
        if is_folder(start.file) or file_kinds.ATLAS.has(start.file):
            from ldam_studio.atlas.browsing import index_of

            index_of(start.file if is_folder(start.file) else start.file.parent)
            return None
        return file_kinds.opening_of(start.file, start.device)
    if start.named is not None:
        from ldam_studio.gui.session.openings import network_opening

        named = start.named
        opening = network_opening(named.network, start.device, start.data, named.spec)
        note = IN_MEMORY if named.is_in_memory else ""
        return replace(opening, beside=named.beside, note=note)
    return None
