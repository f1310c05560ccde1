"""What writers of animations have in common: checks, repeated frames, and errors of the disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.words import frame_words, size_words
from ldam_studio.files import check_target, is_there

MOST_SIDE = 4096
"""Largest width and height of an animation, in pixels."""
SLOWEST, FASTEST = 0.1, 60.0
"""Frames per second; browsers slow animations down that are much faster."""
MOST_FRAMES = 200_000
"""Frames of one animation: almost two hours of 30 a second."""
MOST_BYTES = 2**32 - 2**26
"""Size at which an animation ends: WebP has 32 bits for it, and many discs no larger files."""


class Animation(ABC):
    """An animation that is written to a file while frames are added.

    The file begins with the first frame; an older one of this name is then replaced. After each
    frame, the file is a valid animation of the frames so far: it plays when the program is killed
    or the disk is full. As a context manager it finishes at the end, also after an exception.

    Parameters
    ----------
    size
        Width and height in pixels. Every picture has this size; see `composing.placed`.
    frames_per_second
        From `SLOWEST` to `FASTEST`, and at most `fastest` of the format.

    Attributes
    ----------
    frames
        Number of frames that were added.
    bytes
        Size of the file so far.

    Raises
    ------
    StudioError
        If the size or the speed is out of bounds, or the file cannot be written.
    """

    fastest = FASTEST
    held_back = 0
    """Frames that may be missing at the end of a file that is not finished."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: float) -> None:
        if not all(1 <= side <= MOST_SIDE for side in size):
            raise StudioError(
                f"An animation has at most {MOST_SIDE:,} pixels in a row or column, and at least "
                f"one, not {size[0]} x {size[1]}; choose another size."
            )
        if not SLOWEST <= frames_per_second <= self.fastest:
            raise StudioError(
                f"{path.name} can have from {SLOWEST:g} to {self.fastest:g} frames per second, not "
                f"{frames_per_second:g}; choose another number, or another format."
            )
        check_target(path)
        self.path, self.size, self.frames_per_second = path, size, frames_per_second
        self.frames = 0
        self.bytes = 0
        self._last: Bytes | None = None
        self._ended: StudioError | None = None

    @property
    def seconds(self) -> float:
        """Duration of the animation so far."""
        return self.frames / self.frames_per_second

    def add(self, picture: Bytes) -> None:
        """Add a frame, a picture (H, W, 3) of 8 bits.

        Raises
        ------
        StudioError
            If the file cannot be written or has become too large. It then plays the frames so far,
            and takes no more.
        """
        width, height = self.size
        if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            raise ValueError(f"not a picture of this animation: {picture.shape}, {picture.dtype}")
        if self._ended is not None:
            raise self._ended
        if self.frames >= MOST_FRAMES or self.bytes > MOST_BYTES:
            self.finish()
            self._ended = StudioError(
                f"{self.path} has {frame_words(self.frames)} and {size_words(self.bytes)}, and "
                "can have no more; go on in another file."
            )
            raise self._ended
        again = self._last is not None and np.array_equal(picture, self._last)
        try:
            if again:
                self._prolong(picture)
            else:
                self._add(picture)
        except OSError as error:
            self._give_up(error)
        self.frames += 1
        if not again:
            self._last = picture.copy()

    def finish(self) -> None:
        """Write what is missing at the end, and close the file. Without a frame, there is none.

        Raises
        ------
        StudioError
            If the file cannot be written, and then plays the frames so far; or if it was removed.
        """
        if self._ended is None:
            self._ended = StudioError(f"{self.path} is finished; go on in another file.")
            try:
                self._finish()
            except OSError as error:
                self._give_up(error)
            if self.frames and not is_there(self.path):
                raise StudioError(
                    f"{self.path} is no longer there: it or its folder was removed or renamed "
                    "while it was written. Record it again, and leave its folder until the end."
                )

    def __enter__(self) -> Animation:
        """Return the animation."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Finish the animation."""
        self.finish()

    def _give_up(self, error: OSError) -> None:
        self._abandon()
        said = f"{self.path} cannot be written ({error.strerror or error})"
        if self.frames > self.held_back:
            said = f"{self.path} cannot be written any further ({error.strerror or error}); it has "
            said += f"the {frame_words(self.frames)} before"
        else:  # no frame is whole, so the file does not play
            with suppress(OSError):
                self.path.unlink()
        self._ended = StudioError(f"{said}. Free some space or choose another folder.")
        raise self._ended from None

    @abstractmethod
    def _add(self, picture: Bytes) -> None:
        """Append a picture; `OSError` if it cannot be written."""

    @abstractmethod
    def _prolong(self, picture: Bytes) -> None:
        """Show the last picture, which is `picture`, for a frame more."""

    @abstractmethod
    def _finish(self) -> None:
        """Complete and close the file, if there is one."""

    @abstractmethod
    def _abandon(self) -> None:
        """Close the file after an error, so that it has the frames before it."""
