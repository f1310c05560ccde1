"""Takes a picture of the whole window while it runs its first session."""

from __future__ import annotations

from PyQt6.QtCore import QBuffer, QEventLoop, QTimer

from ldam_studio.engine.compute.device import Device
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.window.window import StudioWindow

POLL_MS = 100
PAINT_MS = 300  # time for the window to paint the last frame


def grab_window(size: tuple[int, int], look: str, steps: int) -> bytes:
    """Open the window, run the ten digits and return the window's picture as bytes of a PNG.

    Parameters
    ----------
    size
        Width and height in pixels.
    look
        ``"dark"`` or ``"light"``.
    steps
        Number of steps that the session takes before the picture.
    """
    device = Device()
    _application = make_application()  # kept: Qt ends with the last reference to it
    window = StudioWindow(device)
    window.resize(*size)
    window.set_theme(look)
    window.open(start(device))
    window.show()
    # A separate event loop: once the application's loop has been left, others cannot wait in it.
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
