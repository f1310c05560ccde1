"""A picture of the whole window on its opening session."""

from __future__ import annotations

from PyQt6.QtCore import QBuffer, QEventLoop, QTimer

from ldam_studio.engine.compute.device import Device
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.window.window import StudioWindow

POLL_MS = 100
PAINT_MS = 300  # for the last frame to be painted


def grab_window(size: tuple[int, int], look: str, steps: int) -> bytes:
    """Open the window, run its opening session and return a PNG of it.

    Parameters
    ----------
    size
        Width and height in pixels.
    look
        ``"dark"`` or ``"light"``.
    steps
        How many steps the session takes before the picture.
    """
    device = Device()
    _application = make_application()  # kept: Qt ends with the last reference to it
    window = StudioWindow(device)
    window.resize(*size)
    window.set_theme(look)
    window.open(start(device))
    window.show()
    # A loop of its own: the application's, once left, would not let later ones wait.
    loop = QEventLoop()
    watch = QTimer(window)

    def look_again() -> None:
        frame = window.last_frame
        if frame is not None and frame.step >= steps:
            watch.stop()
            QTimer.singleShot(PAINT_MS, loop.quit)

    watch.timeout.connect(look_again)
    watch.start(POLL_MS)
    try:
        loop.exec()
        window.canvas.setFocus()
        buffer = QBuffer()
        window.grab().save(buffer, "PNG")
    finally:
        window.close()
    return buffer.data().data()
