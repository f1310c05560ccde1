"""MP4, with PyAV: a video that is fragmented while it is written, and then as any other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.animation import Animation
from ldam_studio.export.animation.trail import opened, write_all

CODECS: dict[str, dict[str, str]] = {
    # Without B-frames and lookahead, no frame has to wait for later ones.
    "libx264": {"crf": "18", "preset": "veryfast", "bf": "0", "rc-lookahead": "0"},
    "libopenh264": {"b": "8M"},
    "mpeg4": {"qmin": "2", "qmax": "4"},
}
"""Encoders with their options; the first that there is is used. The last is not H.264."""

# Every frame is a fragment of its own; at the end, these become one ordinary video.
MUXER = {"movflags": "+hybrid_fragmented+frag_every_frame", "flush_packets": "1"}
BT709 = 1  # as ITU-T H.273 numbers matrices, primaries and transfer curves


class Mp4(Animation):
    """An MP4 video, in H.264 where PyAV can encode it.

    Sizes have to be even: odd ones are padded with a repetition of the last row or column. Until
    it is finished, the last two frames may be missing in the file. Players repeat it if they are
    told to.

    Raises
    ------
    StudioError
        If PyAV is not installed or cannot encode video.
    """

    held_back = 2

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: float) -> None:
        super().__init__(path, size, frames_per_second)
        self._av = _library()
        found = next((codec for codec in CODECS if codec in self._av.codecs_available), None)
        if found is None:
            raise StudioError("This PyAV cannot encode video; record a .webp, .png or .gif.")
        self._codec = found
        self._file: _Gate | None = None
        self._container: Any = None
        self._stream: Any = None

    def _add(self, picture: Bytes) -> None:
        if self._file is None:
            self._begin()
        width, height = self.size
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._av.VideoFrame.from_ndarray(even, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts = self.frames
        self._write(frame)

    def _prolong(self, picture: Bytes) -> None:
        self._add(picture)

    def _begin(self) -> None:
        width, height = self.size
        self._file = _Gate(self.path)
        self._container = self._av.open(self._file, "w", format="mp4", options=MUXER)
        rate = Fraction(self.frames_per_second).limit_denominator(1001)
        self._stream = self._container.add_stream(self._codec, rate=rate)
        self._stream.options = CODECS[self._codec]
        context = self._stream.codec_context
        context.width, context.height = width + width % 2, height + height % 2
        context.pix_fmt = "yuv420p"
        context.gop_size = max(1, round(self.frames_per_second))
        context.thread_count = 1
        context.colorspace = context.color_primaries = context.color_trc = BT709

    def _write(self, frame: Any) -> None:
        assert self._file is not None
        with self._file.telling(self._av.FFmpegError):
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        self.bytes = self._file.keep()

    def _finish(self) -> None:
        if self._file is not None:
            self._write(None)
            with self._file.telling(self._av.FFmpegError):
                self._container.close()
            self.bytes = self._file.keep()
            self._file.close()

    def _abandon(self) -> None:
        if self._file is not None:
            self._file.shut()
            with suppress(OSError, self._av.FFmpegError):
                self._container.close()
            self._file.close()


class _Gate:
    """A file for PyAV. Once shut, it takes nothing more, and ends where it was last kept."""

    def __init__(self, path: Path) -> None:
        self._file = opened(path)
        self._kept = 0
        self._shut = False
        self._error: OSError | None = None
        self.seek, self.tell = self._file.seek, self._file.tell

    def write(self, data: bytes) -> int:
        """Write all of the data; `OSError` if there is no space."""
        if self._shut:
            raise OSError
        try:
            write_all(self._file, data)
        except OSError as error:
            self._error = error
            raise
        return len(data)

    @contextmanager
    def telling(self, told: type[Exception]) -> Iterator[None]:
        """Raise the error of the file where PyAV only tells that there was one."""
        try:
            yield
        except told as error:
            raise (self._error or OSError(str(error))) from None

    def keep(self) -> int:
        """Keep what was written so far; return its size in bytes."""
        self._kept = os.fstat(self._file.fileno()).st_size
        return self._kept

    def shut(self) -> None:
        """Take back what was written since, and take nothing more."""
        self._shut = True
        self._file.truncate(self._kept)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _library() -> ModuleType:
    try:
        import av
    except ImportError:
        raise StudioError(
            "MP4 needs PyAV, which is not installed: pip install 'ldam-studio[video]', or record "
            "a .webp, .png or .gif."
        ) from None
    return av
