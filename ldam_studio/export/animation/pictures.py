"""Animations that consist of pictures, each with a duration: WebP, APNG and GIF."""

from __future__ import annotations

from abc import abstractmethod

from PIL import Image

from ldam_studio.engine.picture import Bytes
from ldam_studio.export.animation.animation import Animation
from ldam_studio.export.animation.trail import Trail


class Pictures(Animation):
    """An animation of pictures that are shown one after the other, and again for ever.

    A picture that is added again prolongs the one before. Hooks for subclasses:

    Attributes
    ----------
    ticks
        How many units of time a second has in this format.
    longest
        The longest duration of a picture in these units.
    trailer
        The last bytes of a file.
    """

    ticks = 1000
    longest = 2**16 - 1
    trailer = b""

    _trail: Trail | None = None
    _place = 0  # of the last picture
    _begin = 0  # its first frame

    def _add(self, picture: Bytes) -> None:
        self._begin = self.frames
        self._append(picture, self._duration(1))

    def _most_frames(self) -> int:
        return max(1, int(self.longest * self.frames_per_second / self.ticks) - 1)

    def _append(self, picture: Bytes, duration: int) -> None:
        record = self.record(Image.fromarray(picture), duration)
        if self._trail is None:
            head = self.head()
            self._trail = Trail(self.path, head + record, self.trailer)
            self._place = len(head)
        else:
            self._place = self._trail.append(record)
        self.count(self._trail)
        self.bytes = self._trail.size

    def _prolong(self, picture: Bytes) -> None:
        shown = self.frames - self._begin + 1
        assert self._trail is not None  # there is a picture before
        if shown > self._most_frames():
            self._add(picture)
        else:
            self.last(self._trail, self._place, self._duration(shown))

    def _duration(self, frames: int) -> int:
        """Return the duration of the last picture, so that rounding does not add up."""
        begin, end = (
            round(number * self.ticks / self.frames_per_second)
            for number in (self._begin, self._begin + frames)
        )
        return end - begin

    def _finish(self) -> None:
        if self._trail is not None:
            self._trail.close()

    def _abandon(self) -> None:
        if self._trail is not None:
            self._trail.abandon()

    @abstractmethod
    def head(self) -> bytes:
        """Return what comes before the first picture."""

    @abstractmethod
    def record(self, picture: Image.Image, duration: int) -> bytes:
        """Return a picture in this format, to be appended; `duration` is in ticks."""

    @abstractmethod
    def last(self, trail: Trail, place: int, duration: int) -> None:
        """Give the last picture, which is at `place`, another duration."""

    def count(self, trail: Trail) -> None:
        """Update what the file says of its length; called after a picture was appended."""
        return None
