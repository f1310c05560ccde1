"""Watching a folder of checkpoints: which files there are, and which are complete.

Only headers are read, so that thousands of files are listed at once. Weights are read when they are
shown.
"""

from __future__ import annotations

import math
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import is_regular
from ldam_studio.networks.weights.checkpoint_headers import examine
from ldam_studio.networks.weights.checkpoint_places import Found, below, name_and_run
from ldam_studio.networks.weights.checkpoints import Checkpoint, Stamp, in_order, stamp_of
from ldam_studio.networks.weights.suffixes import is_weights

OLD_S = 2.0
"""Seconds since a file was last written after which it counts as complete when first seen."""
STILL_S = 0.25
"""Seconds that a newer file must stay unchanged; it may have been renamed into place."""
IN_PLACE_S = 0.8
"""The same for a file that is certainly written in place, so its size may never change."""
RESTLESS_S = 3.0
"""Seconds after which a file that is rewritten in place again and again is read in any pause."""


@dataclass(frozen=True)
class Listing:
    """The content of a folder: its complete checkpoints in order, and skipped files with reasons.

    A new file that is still being written is in `growing` only. One that is being overwritten is
    listed as it was before. `others` are files that are certainly no weights, such as logs.
    """

    checkpoints: tuple[Checkpoint, ...]
    skipped: Mapping[Path, str]
    growing: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Known:
    """The checkpoint in a file of that stamp, or the reason why it is skipped."""

    stamp: Stamp
    what: Checkpoint | str


@dataclass(frozen=True)
class _Growing:
    """A file that may still be written to: its last stamp, since when, and when it is read."""

    stamp: Stamp
    since: float
    due: float


class Folder:
    """A folder (or a single file) of checkpoints that is looked at repeatedly.

    Parameters
    ----------
    place
        A folder, or one file that is overwritten each time.
    clock, now
        A monotonic clock and the time since 1970, in seconds.
    """

    def __init__(
        self,
        place: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.place = place
        self._clock, self._now = clock, now
        self._known: dict[Path, _Known] = {}
        self._growing: dict[Path, _Growing] = {}
        self._changed: Mapping[Path, int] = {}  # when files last came to a folder, or went
        self._is_file = is_regular(place) or is_weights(place)
        self._listing = Listing((), {})

    @property
    def waits_s(self) -> float:
        """Seconds until a file that is being written may be complete; infinite without one."""
        due = min((growing.due for growing in self._growing.values()), default=math.inf)
        return max(0.0, due - self._clock())

    def look(self, *, thorough: bool = True) -> Listing:
        """Return what is there now. Only files that have changed are opened.

        Parameters
        ----------
        thorough
            Look at every file. Otherwise files are looked at only if the folder's own date has
            changed or a file was being written, which is fast but misses files that are overwritten
            in place.

        Raises
        ------
        StudioError
            If the folder has disappeared or cannot be read.
        """
        if not thorough and not self._growing and self._changed and not self._has_changed():
            return self._listing
        known, before = self._known, self._growing
        self._growing = {}  # also where the folder has gone away
        there, self._known = self._files(), {}
        self._changed = there.folders
        for path in there.files:
            try:
                status = path.stat()
            except OSError:  # gone between the listing and now
                continue
            if stat.S_ISREG(status.st_mode):
                self._see(path, status, known.get(path), before.get(path))
        found = {path: known.what for path, known in self._known.items()}
        checkpoints = [what for what in found.values() if isinstance(what, Checkpoint)]
        skipped = {path: what for path, what in found.items() if isinstance(what, str)}
        growing = (
            p for p in self._growing if p not in found and (is_weights(p) or p == self.place)
        )
        self._listing = Listing(
            in_order(checkpoints), {**skipped, **there.passed}, tuple(growing), there.companions
        )
        return self._listing

    def _see(
        self, path: Path, status: os.stat_result, known: _Known | None, before: _Growing | None
    ) -> None:
        """Note a file: unchanged, complete, or still being written."""
        stamp = stamp_of(status)
        if known is not None and known.stamp == stamp:
            self._known[path] = known
            return
        if before is None or before.stamp != stamp:
            earlier = [seen.stamp for seen in (known, before) if seen is not None]
            in_place = _has_holes(status) or any(seen[2] == stamp[2] for seen in earlier)
            clock = self._clock()
            since = clock if before is None else before.since
            rests = in_place and clock - since < RESTLESS_S
            before = _Growing(stamp, since, clock + (IN_PLACE_S if rests else STILL_S))
        is_old = self._now() - status.st_mtime > OLD_S
        if is_old or _was_moved(status) or self._clock() >= before.due:
            name, run = name_and_run(path, self.place)
            self._known[path] = _Known(stamp, examine(path, stamp, name, run))
        else:
            self._growing[path] = before
            if known is not None:
                self._known[path] = known  # its former content, until the new one is complete

    def _has_changed(self) -> bool:
        """Return whether a file was added to a folder or removed since the last look."""
        try:
            return any(path.stat().st_mtime_ns != then for path, then in self._changed.items())
        except OSError:
            return True

    def _files(self) -> Found:
        try:
            # In a network folder that has gone away, each of these calls may fail.
            if self.place.is_file():
                self._is_file = True
                return Found((self.place,), {}, (), {})
            if self._is_file and not self.place.is_dir() and self.place.parent.is_dir():
                return Found((), {}, (), {})  # not yet written, or just being replaced
            return below(self.place)
        except OSError as error:
            raise StudioError(
                f"The folder {self.place} cannot be read ({error.strerror}); restore it, or watch "
                "another one."
            ) from None


def check_kind(place: Path) -> None:
    """Raise `StudioError` if a place is a file, but not a weights file."""
    if is_weights(place) or not is_regular(place):
        return  # it may be in the midst of being written
    try:
        what = examine(place, stamp_of(place.stat()))
    except OSError:
        return  # looking at it reports what is wrong
    if isinstance(what, str) and what:
        raise StudioError(f"{place.name} is not a checkpoint: it {what}.")


def _was_moved(status: os.stat_result) -> bool:
    """Return whether a file was renamed or dated after its last writing, so that it is complete.

    Only POSIX records when that was; on Windows the same field is the time of creation.
    """
    return os.name == "posix" and status.st_ctime_ns > status.st_mtime_ns


def _has_holes(status: os.stat_result) -> bool:
    """Return whether parts of a file are not written yet; always False on Windows."""
    blocks: int | None = getattr(status, "st_blocks", None)
    return blocks is not None and 512 * blocks < status.st_size
