"""What is kept of an animation that was stopped: its frames, and its sessions as they were."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from ldam_studio.engine.description import Count
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.composing import Layout
from ldam_studio.export.session_file import SUFFIX, save_session
from ldam_studio.files import (
    MOST_OF_STATE,
    is_folder,
    is_regular,
    is_there,
    read_bytes,
    write_durably,
)

MOST_OF_FRAME = 2**27
"""Largest size of a compressed frame in bytes."""


Side = Annotated[int, Meta(ge=1, le=2**20)]
Some = Meta(min_length=1, max_length=100)
Row = Annotated[tuple[tuple[Side, Side], ...], Some]
Rows = Annotated[tuple[Row, ...], Some]


class Scale(Struct, frozen=True):
    """A scale of the signed display; see `Composer.scales`."""

    group: Count
    kind: Annotated[str, Meta(max_length=20)]
    value: float


class About(Struct, frozen=True):
    """How far an animation is.

    `key` tells it from others, and `layout` is that of the composer's panes. Of the file of frames
    the first `frames` count, which take `bytes`; `step` is that of the next frame, and `saved` the
    step in the names of the sessions' files.
    """

    key: Annotated[str, Meta(max_length=64)]
    layout: Annotated[tuple[Rows, ...], Some]
    frames: Count
    bytes: Count
    step: Count
    saved: Count
    scales: Annotated[tuple[Scale, ...], Meta(max_length=1000)]


@dataclass
class Unfinished:
    """A folder beside an animation, in which it goes on later; nothing is there when it is done.

    Frames are kept as they were composed, since videos cannot be continued: they are encoded again,
    which gives the same file as without a stop.

    Parameters
    ----------
    folder
        The folder.
    key
        What the animation is made of, as a hash.
    """

    folder: Path
    key: str

    def __post_init__(self) -> None:
        self._bytes = 0
        self._frames = 0
        self._last: bytes | None = None

    @classmethod
    def beside(cls, path: Path, key: str) -> Unfinished:
        """Return that of an animation."""
        return cls(path.with_name(f"{path.name}.unfinished"), key)

    def read(self) -> About | None:
        """Return how far the animation was; None if it begins.

        Raises
        ------
        StudioError
            If the folder is damaged, or belongs to another animation.
        """
        if self._is_foreign():
            raise self.damaged()
        if not is_there(self._about):
            return None
        try:
            about = msgspec.json.decode(read_bytes(self._about, MOST_OF_STATE), type=About)
        except (ValueError, RecursionError):
            raise self.damaged() from None
        if about.key != self.key:
            raise StudioError(
                f"{self.folder} belongs to another animation that was stopped; remove it, or "
                "choose another file."
            )
        return about

    def session(self, number: int, saved: int) -> Path:
        """Return the file of a session, which was saved at this step of the animation."""
        return self.folder / f"{number}-{saved}{SUFFIX}"

    def frames(self, about: About, size: tuple[int, int]) -> Iterator[Bytes]:
        """Yield the frames of this width and height that were kept; more can be appended then.

        Raises
        ------
        StudioError
            If the file is damaged or cannot be read.
        """
        width, height = size
        most = width * height * 3
        content: bytes | None = None
        try:
            with open(self._content, "rb") if about.frames else BytesIO() as file:
                for _ in range(about.frames):
                    head = file.read(4)
                    length = int.from_bytes(head)
                    if len(head) < 4 or length > MOST_OF_FRAME:
                        raise ValueError
                    if length:
                        content = zlib.decompressobj().decompress(file.read(length), most + 1)
                    if content is None or len(content) != most:
                        raise ValueError
                    yield np.frombuffer(content, np.uint8).reshape(height, width, 3)
                if file.tell() != about.bytes:
                    raise ValueError
        except (OSError, ValueError, zlib.error):
            raise self.damaged() from None
        self._frames, self._bytes, self._last = about.frames, about.bytes, content

    def append(self, picture: Bytes) -> None:
        """Keep a frame (H, W, 3); `StudioError` if there is no space."""
        content = picture.tobytes()
        record = b"" if content == self._last else zlib.compress(content, 1)
        self._last = content
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self._content, "r+b" if self._frames else "wb") as file:
                file.seek(self._bytes)
                file.write(len(record).to_bytes(4) + record)
        except OSError as error:
            if not is_there(self._about):
                self.remove()  # nothing could go on from it
            raise self._not_written(error) from None
        self._frames += 1
        self._bytes += 4 + len(record)

    def save(
        self,
        states: Sequence[SessionState],
        layout: Layout,
        step: int,
        scales: Mapping[tuple[int, str], float],
    ) -> None:
        """Keep how far the animation is.

        Parameters
        ----------
        states
            The sessions.
        layout
            That of the composer.
        step
            The step of the next frame.
        scales
            Those of the composer.

        Raises
        ------
        StudioError
            If the folder cannot be written; what was kept before stays.
        """
        saved = states[0].step
        files = [self.session(number, saved) for number in range(len(states))]
        for state, file in zip(states, files, strict=True):
            save_session(state, file)
        if self._frames:
            self._sync()
        listed = [{"group": g, "kind": k, "value": value} for (g, k), value in scales.items()]
        about = {"key": self.key, "layout": layout, "frames": self._frames, "bytes": self._bytes}
        about |= {"step": step, "saved": saved, "scales": listed}
        data = json.dumps(about).encode()
        write_durably(self._about, lambda to: to.write_bytes(data))
        for file in self.folder.glob(f"*{SUFFIX}"):
            if file not in files:
                file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, since the animation is done or begins again."""
        if is_folder(self.folder):
            with suppress(OSError):
                shutil.rmtree(self.folder)

    @property
    def _about(self) -> Path:
        return self.folder / "about.json"

    @property
    def _content(self) -> Path:
        return self.folder / "frames"

    def _is_foreign(self) -> bool:
        """Return whether writing would wait, or change something elsewhere."""
        folder, content = self.folder, self._content
        return (
            folder.is_symlink()
            or content.is_symlink()
            or (is_there(folder) and not is_folder(folder))
            or (is_there(content) and not is_regular(content))
        )

    def _sync(self) -> None:
        """See to it that the frames are on the disk before anything counts on them."""
        try:
            with open(self._content, "rb+") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> StudioError:
        return StudioError(f"{self.folder} cannot be written ({error.strerror}); free some space.")

    def damaged(self) -> StudioError:
        """Return the error that says that nothing can go on from this folder."""
        return StudioError(
            f"{self.folder}, from which the animation goes on, is damaged; remove it to begin anew."
        )
