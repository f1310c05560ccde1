"""What a training process and whoever started it say to each other: one JSON object a line.

The process (``ldam-studio train live``) reads commands from its standard input and writes statuses
to its standard output. It ends when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ldam_studio.training.data import cache_folder

STATES = ("training", "paused", "finished", "stopped", "failed")
MOST_AVERAGED = 100_000  # steps


@dataclass(frozen=True)
class Status:
    """How a training goes.

    Attributes
    ----------
    state
        One of `STATES`.
    step, steps
        Done, and of the whole run.
    epoch
        Epochs done, with the share of the one under way.
    loss
        Of the last step.
    accuracy
        Share of held-out digits that the last checkpoint's weights name.
    learning_rate, averaging
        Those of the next step; averaging in steps, 0 for none.
    checkpoint
        The last one that was written.
    notice
        A sentence about the run.
    error
        The sentence with which it failed.
    """

    state: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    loss: float | None = None
    accuracy: float | None = None
    learning_rate: float = 0.0
    averaging: int = 0
    checkpoint: Path | None = None
    notice: str = ""
    error: str = ""

    def line(self) -> bytes:
        """Return it as it is written."""
        path = None if self.checkpoint is None else str(self.checkpoint)
        return _line(asdict(self) | {"checkpoint": path})

    @classmethod
    def of(cls, line: bytes | str) -> Status | None:
        """Read what `line` gave; None if the line says something else."""
        try:
            found = json.loads(line)
            path = found["checkpoint"]
            status = cls(**found | {"checkpoint": None if path is None else Path(path)})
        except (ValueError, TypeError, KeyError):
            return None
        return status if status.state in STATES else None


def command(
    out: Path,
    *,
    seed: int = 0,
    data: Path | None = None,
    resume: bool = False,
    learning_rate: float | None = None,
) -> list[str]:
    """Return the arguments, program first, that start a training process.

    Parameters
    ----------
    out
        Folder for its checkpoints.
    data
        Folder with MNIST; where it is nowhere, it learns from the digits that are shipped.
    resume
        Go on with the run in `out`.
    learning_rate
        From its first step on, instead of the recipe's.
    """
    found = [sys.executable, "-m", "ldam_studio", "train", "live"]
    found += ["--out", str(out), "--seed", str(seed)]
    if data is not None:
        found += ["--data", str(data)]
    if learning_rate is not None:
        found += ["--learning-rate", str(learning_rate)]
    return [*found, "--resume"] if resume else found


def pause(yes: bool) -> bytes:
    """Return the line that lets it rest, or go on."""
    return _line({"pause": yes})


def learning_rate(rate: float | None) -> bytes:
    """Return the line that sets its learning rate from the next step on; None: the recipe's."""
    return _line({"learning_rate": rate})


def averaging(steps: int) -> bytes:
    """Return the line that has checkpoints hold a moving average of the parameters; 0: none."""
    return _line({"averaging": steps})


def stop() -> bytes:
    """Return the line that ends it, after a last checkpoint."""
    return _line({"stop": True})


def ended(code: int, last: Status | None) -> str:
    """Return a sentence about a process that ended by itself; empty after a regular end.

    Parameters
    ----------
    code
        Its exit code; negative is the signal that ended it.
    last
        The last status that it told.
    """
    if last is not None and last.error:
        return last.error
    if code == 0 and last is not None and last.state in ("finished", "stopped"):
        return ""
    where = "before its first step" if last is None else f"after step {last.step:,}"
    how = f"signal {-code}" if code < 0 else f"code {code}"
    if last is None or last.checkpoint is None:
        return (
            f"The training process ended unasked {where} ({how}) and left no checkpoint; start it "
            "again."
        )
    return (
        f"The training process ended unasked {where} ({how}); its checkpoints are whole, resume "
        "it to go on from the last one."
    )


def runs_folder() -> Path:
    """Return where the studio's own runs are kept, in the program's cache."""
    return cache_folder() / "live"


def new_folder() -> Path:
    """Return a folder for a run's checkpoints that is not there yet, among the studio's own."""
    base = runs_folder()
    name = time.strftime("mnist-%Y%m%d-%H%M%S")
    folder, number = base / name, 1
    while folder.exists():
        number += 1
        folder = base / f"{name}-{number}"
    return folder


class Commands:
    """Reads commands on a thread of its own: none that is waited for holds a step up.

    The file is read below Python's buffers, whose lock a thread that waits in them never gives
    back, not even at the end of the process.
    """

    def __init__(self, file: int | None) -> None:
        self._queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        if file is not None:
            threading.Thread(target=self._read, args=(file,), name="commands", daemon=True).start()

    def next(self, *, wait: bool) -> dict[str, Any] | None:
        """Return the next command; None if there is none and it is not waited for."""
        try:
            return self._queue.get(block=wait)
        except queue.Empty:
            return None

    def _read(self, file: int) -> None:
        rest = b""
        while True:
            try:
                read = os.read(file, 4096)
            except OSError:
                read = b""
            if not read:
                self._queue.put({"stop": True})
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                try:
                    found = json.loads(line)
                except ValueError:
                    continue
                if isinstance(found, dict):
                    self._queue.put(found)


class Telling:
    """Writes statuses; whoever no longer listens is no reason to fail."""

    def __init__(self, file: int) -> None:
        self._file = file
        self.last = Status("training")

    def tell(self, status: Status) -> None:
        """Write a status."""
        self.last = status
        try:
            os.write(self._file, status.line())
        except OSError:
            return


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
