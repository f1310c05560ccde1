"""One recording: takes every n-th step on the session's thread, writes it on another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from threading import get_ident
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError, in_short
from ldam_studio.export.animation.ends import with_meeting_ends
from ldam_studio.gui.recorder.catching import Caught, Wanted, caught
from ldam_studio.gui.recorder.line import Line

if TYPE_CHECKING:
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.animation.animation import Animation

MOST_WAITING = 16  # frames that wait to be written, and the memory that they may take
MOST_WAITING_BYTES = 2**26
PATIENCE_S = 0.04
"""How long a step waits until a frame is written; the window still shows 20 frames a second."""


class Recording:
    """What becomes of a session's steps until it is stopped.

    A frame that cannot be written in time lets the chains wait, for `PATIENCE_S` at most. If that
    is not enough, it is left out, and the frame before it is shown for its time: what plays keeps
    its speed, and since chains wait for every frame, those that are left out are spread evenly.

    Parameters
    ----------
    wanted
        What is recorded. The window may replace it while the recording runs.
    every
        Every how many steps a frame is taken.

    Attributes
    ----------
    frames, bytes
        Length of the animation so far, and size of its file.
    left_out
        How many frames were left out.
    """

    def __init__(self, wanted: Wanted, every: int) -> None:
        self.wanted = wanted
        self.frames = self.bytes = self.left_out = 0
        self._every = every
        self._line: Line[Caught] = Line(MOST_WAITING, MOST_WAITING_BYTES)
        self._thread: int | None = None  # of the session
        self._step = 0
        self._since = self._missed = 0
        self._error: StudioError | None = None

    # On the session's thread

    def begin(self, state: SessionState) -> None:
        """Take the first frame: the session as it is."""
        self._thread, self._step = get_ident(), state.step
        self._take(state)

    def look(self, state: SessionState) -> None:
        """Take a frame if this is the n-th step since the last one."""
        # A session that was left for this one may end a long step on a thread of its own.
        if self._thread != get_ident() or self._line.is_ended:
            return
        # A change takes no step, and an undo goes back.
        self._since += max(0, state.step - self._step)
        self._step = state.step
        if self._since >= self._every:
            self._since = 0
            self._take(state)

    def _take(self, state: SessionState) -> None:
        try:
            found = caught(state, self.wanted, self._missed)
        except (RuntimeError, MemoryError) as error:  # of the device, too
            self._error = StudioError(
                f"The recording has ended, because its images could not be copied "
                f"({in_short(error)}); close other programs, or record fewer chains."
            )
            self.stop()
            return
        self._missed += 1
        if self._line.put(found, found.size, PATIENCE_S):
            self.frames += self._missed
            self._missed = 0
        elif not self._line.is_ended:
            self.left_out += 1

    # On any thread

    def stop(self) -> None:
        """Take no more frames; those that were taken are still written."""
        self._line.end()

    # On a thread of its own

    def write(
        self,
        animate: Callable[[], Animation],
        draw: Callable[[Caught], Bytes],
        overlap: int = 0,
    ) -> None:
        """Write all frames, until the recording is stopped.

        Parameters
        ----------
        animate
            Returns the writer of the animation.
        draw
            Returns what a frame shows, as a picture of the animation's size.
        overlap
            How many frames at the end fade into those at the beginning.

        Raises
        ------
        StudioError
            If the file cannot be written, or the session had no memory for a frame. What was
            written before can be played.
        """
        try:
            with animate() as animation:
                for picture in with_meeting_ends(self._pictures(draw), overlap):
                    animation.add(picture)
                    self.bytes = animation.bytes
            self.frames, self.bytes = animation.frames, animation.bytes
        finally:
            self._line.end(at_once=True)
        if self._error is not None:
            raise self._error

    def _pictures(self, draw: Callable[[Caught], Bytes]) -> Iterator[Bytes]:
        """Draw what was taken; what was left out looks as the frame before it."""
        picture: Bytes | None = None
        for each in self._line:
            if picture is not None:
                yield from repeat(picture, each.missed)
            picture = draw(each)
            yield picture
