"""Checkpoints that a training run leaves in a folder: which there are, and which are complete.

Only headers are read to list them, so that thousands of files are there at once; weights are read
when somebody looks at them.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ldam_studio.errors import StudioError
from ldam_studio.memory import TooLittleMemory
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES, is_safetensors, is_weights
from ldam_studio.networks.weights.weights import enough_for_file, require_room, unpacked

KEY = "checkpoint"
"""Of the safetensors metadata entry: a JSON object of what `Checkpoint` knows about it."""

OLD_S = 2.0
"""Seconds since a file was last written after which it is complete at first sight."""
STILL_S = 0.25
"""Seconds for which a newer one has to stand still, which may have been renamed into place."""
IN_PLACE_S = 0.8
"""The same for one that is surely written in place: its size may be right from the start."""
RESTLESS_S = 3.0
"""Seconds after which a file that is written in place again and again is taken in any pause."""
HEADER_LIMIT = 100_000_000  # bytes, safetensors' own limit for its header
OLD_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""How torch.save's files began before 1.6, within a pickle: torch.serialization.MAGIC_NUMBER."""
DIGITS = 18  # of a number, that count
LIMIT = 10.0**DIGITS  # NaN is not below it either
NUMBER = re.compile(r"(?P<name>[A-Za-z]+)?[-_=.]?(?P<value>\d+(?:\.\d+)?)")


Stamp = tuple[int, int, int]
"""Modification time in ns, size in bytes, and number of a file on its disk."""

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names of tensors with their shapes."""


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights and what is known about when it was written.

    `epoch`, `step`, `loss` and `accuracy` (a share) come from its metadata, else from its name;
    None where neither says. `stamp` tells a file from one that took its place. `shapes` are those
    of its tensors, None where only reading it tells.
    """

    path: Path
    stamp: Stamp
    epoch: float | None = None
    step: int | None = None
    loss: float | None = None
    accuracy: float | None = None
    shapes: Shapes | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> tuple[float, float, int, str]:
        """Sort by step or epoch; what says neither comes in the order of writing."""
        known = -1.0 if self.epoch is None else float(self.epoch)
        step = -1.0 if self.step is None else float(self.step)
        return (step, known, self.stamp[0], self.path.name)


class CheckpointError(StudioError):
    """A checkpoint that cannot be looked at, and of what kind the reason is.

    ``"gone"``: it cannot be read now, as where memory is short; ``"changed"``: it was written anew
    while it was read; ``"damaged"``: it is no file of weights; ``"shapes"``: its weights are
    another architecture's; ``"diverged"``: they are not numbers.
    """

    def __init__(
        self,
        kind: Literal["gone", "changed", "damaged", "shapes", "diverged"],
        sentence: str,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True)
class Listing:
    """What a folder holds: complete checkpoints in order, and files passed over with the reason.

    A file that is being written is in neither, one that is written over is what it was before.
    """

    checkpoints: tuple[Checkpoint, ...]
    skipped: Mapping[Path, str]


@dataclass(frozen=True)
class _Known:
    """What was found in a file of that stamp."""

    stamp: Stamp
    what: Checkpoint | str


@dataclass(frozen=True)
class _Growing:
    """A file that may still be written to: as it was last seen, since when, when it is taken."""

    stamp: Stamp
    since: float
    due: float


class Folder:
    """A folder (or one file) of checkpoints, looked at again and again.

    Parameters
    ----------
    place
        A folder, or one file that is written anew each time.
    clock, now
        Seconds that only grow, and those since 1970 that files are dated with.
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
        self._changed: int | None = None  # when files last came or went
        self._listing = Listing((), {})

    @property
    def waits_s(self) -> float:
        """Seconds until a file that is being written may be complete; infinite without any."""
        due = min((growing.due for growing in self._growing.values()), default=math.inf)
        return max(0.0, due - self._clock())

    def look(self, *, thorough: bool = True) -> Listing:
        """Return what is there now; only files that have changed are opened.

        Parameters
        ----------
        thorough
            Look at each file. Else only if the folder says that files have come or gone, or one was
            being written: that takes no time, and misses what is written over in place.

        Raises
        ------
        StudioError
            If the folder has disappeared or cannot be read.
        """
        changed = self._last_change()
        if not thorough and not self._growing and changed is not None and changed == self._changed:
            return self._listing
        self._changed = changed
        known, before = self._known, self._growing
        self._growing = {}  # also where the folder has gone away
        files, self._known = self._files(), {}
        for path in files:
            try:
                status = path.stat()
            except OSError:  # gone between the listing and now
                continue
            self._see(path, status, known.get(path), before.get(path))
        found = {path: known.what for path, known in self._known.items()}
        checkpoints = [what for what in found.values() if isinstance(what, Checkpoint)]
        skipped = {path: what for path, what in found.items() if isinstance(what, str)}
        self._listing = Listing(tuple(sorted(checkpoints, key=lambda c: c.order)), skipped)
        return self._listing

    def _see(
        self, path: Path, status: os.stat_result, known: _Known | None, before: _Growing | None
    ) -> None:
        """Take note of a file: as it was known, as complete, or as still being written."""
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
            self._known[path] = _Known(stamp, examine(path, stamp))
        else:
            self._growing[path] = before
            if known is not None:
                self._known[path] = known  # what it was, until what it will be is there

    def _last_change(self) -> int | None:
        """Return when files last came to the folder or went; None where nothing tells."""
        try:
            return self.place.stat().st_mtime_ns if self.place.is_dir() else None
        except OSError:
            return None

    def _files(self) -> list[Path]:
        try:
            # On a network's folder that has gone away, each of these may fail.
            if self.place.is_file():
                return [self.place]
            if is_weights(self.place) and self.place.parent.is_dir():
                return []  # one file, not yet written or just being replaced
            entries = list(self.place.iterdir())
        except OSError as error:
            raise StudioError(
                f"The folder {self.place} cannot be read ({error.strerror}); put it back, or watch "
                "another."
            ) from None
        return [path for path in entries if is_weights(path) and path.name[0] != "."]


def check_kind(place: Path) -> None:
    """See that a place is no file of another kind than weights, or raise `StudioError`."""
    if place.is_file() and not is_weights(place):
        endings = ", ".join(WEIGHTS_SUFFIXES)
        raise StudioError(f"{place.name} is no checkpoint; those end in {endings}.")


def read_checkpoint(checkpoint: Checkpoint) -> tuple[dict[str, Any], str]:
    """Read a checkpoint to memory and close it, so that its writer may replace it.

    Returns
    -------
    What was saved, tensors by name at some depth, and the SHA-256 of the file.

    Raises
    ------
    CheckpointError
        If it is gone, was replaced since it was listed or while it was read, or is damaged.
    """
    path = checkpoint.path
    try:
        require_room(path)
        with enough_for_file(path), open(path, "rb") as file:
            before = stamp_of(os.fstat(file.fileno()))
            data = file.read() if before == checkpoint.stamp else b""
            after = stamp_of(os.fstat(file.fileno()))
    except OSError as error:
        raise CheckpointError(
            "gone", f"The checkpoint {path} cannot be read ({error.strerror}); choose another."
        ) from None
    except StudioError as error:
        raise CheckpointError("gone", str(error)) from None
    if not before == after == checkpoint.stamp:
        raise CheckpointError(
            "changed", f"The checkpoint {path} was written anew just now; look at it again."
        )
    try:
        return unpacked(path, data)
    except TooLittleMemory as error:
        raise CheckpointError("gone", str(error)) from None
    except StudioError as error:
        raise CheckpointError("damaged", str(error)) from None


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells a file from others, see `Checkpoint`."""
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _was_moved(status: os.stat_result) -> bool:
    """Whether a file was renamed, or dated, after it was last written: its writer has done with it.

    Only POSIX says when that was; Windows has the time of creation there.
    """
    return os.name == "posix" and status.st_ctime_ns > status.st_mtime_ns


def _has_holes(status: os.stat_result) -> bool:
    """Whether less was written than the file is long; Windows does not say."""
    blocks: int | None = getattr(status, "st_blocks", None)
    return blocks is not None and 512 * blocks < status.st_size


def examine(path: Path, stamp: Stamp) -> Checkpoint | str:
    """Return the checkpoint at `path`, or why it is none."""
    try:
        problem, about, shapes = _header(path) if is_safetensors(path) else (*_archive(path), None)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return problem or Checkpoint(path, stamp, **_understood(about, path.stem), shapes=shapes)


@lru_cache(maxsize=64)
def _shared(shapes: Shapes) -> Shapes:
    """Return equal shapes as one object: those of a training's checkpoints are all alike."""
    return shapes


def _header(path: Path) -> tuple[str, Mapping[str, Any], Shapes | None]:
    """Read a safetensors header; the file is complete if it is as long as its header says."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= HEADER_LIMIT:
            return "is not a safetensors file", {}, None
        text = file.read(length)
        size = file.seek(0, 2)
    if len(text) < length:
        return "is cut short", {}, None
    try:
        header = json.loads(text)
        entries = {k: v for k, v in header.items() if k != "__metadata__"}
        end = 8 + length + max((v["data_offsets"][1] for v in entries.values()), default=0)
        metadata = header.get("__metadata__", {})
        shapes = tuple((name, tuple(map(int, v["shape"]))) for name, v in entries.items())
    except (LookupError, ValueError, OverflowError, TypeError, AttributeError, RecursionError):
        return "is not a safetensors file", {}, None
    if size < end:
        return "is cut short", {}, None
    try:
        about = json.loads(metadata.get(KEY, "{}"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        about = {}
    return "", about if isinstance(about, Mapping) else {}, _shared(shapes)


def _archive(path: Path) -> tuple[str, Mapping[str, Any]]:
    """Look for the end of the zip archive that torch.save writes, or for how it once began."""
    with open(path, "rb") as file:
        # What was written before torch 1.6 does not tell its end: reading it does.
        known = OLD_MAGIC in file.read(32) or zipfile.is_zipfile(file)
    return ("" if known else "is cut short or not saved by torch.save"), {}


def _understood(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return epoch, step, loss and accuracy: from metadata, else from words in the file's name."""
    found: dict[str, Any] = {}
    for match in NUMBER.finditer(name):
        word = (match["name"] or "").lower()
        key = {"e": "epoch", "ep": "epoch", "s": "step", "iter": "step", "acc": "accuracy"}.get(
            word, word
        )
        if key not in ("epoch", "step", "loss", "accuracy"):
            continue
        found.setdefault(key, float(match["value"][:DIGITS]))
    if not found and (last := re.findall(r"\d+", name)):
        found["step"] = float(last[-1][:DIGITS])
    if found.get("accuracy", 0.0) > 1:  # names give it in per cent
        found["accuracy"] /= 100
    for key in ("epoch", "step", "loss", "accuracy"):
        value = about.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT:
            found[key] = float(value)
    if "step" in found:
        found["step"] = int(found["step"])
    return found
