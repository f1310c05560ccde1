"""Messages between a training process and the program that started it: one JSON object per line.

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

from ldam_studio.files import cache_folder

STATES = ("training", "paused", "finished", "stopped", "failed")
LONGEST_AVERAGING = 100_000  # steps
KEPT_RUNS = 3  # enough for the last session to be opened again


@dataclass(frozen=True)
class Status:
    """The state of a training.

    Attributes
    ----------
    state
        One of `STATES`.
    step, steps
        Steps that are done, and steps of the whole run.
    epoch
        Epochs that are done, as a fraction.
    loss
        Loss of the last step.
    accuracy
        Share of held-out digits that the last checkpoint classifies correctly.
    learning_rate, averaging
        Learning rate and averaging time of the next step; the latter in steps, 0 for none.
    checkpoint
        The last checkpoint that was written.
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
        """Return the status as a line of JSON."""
        path = None if self.checkpoint is None else str(self.checkpoint)
        return _line(asdict(self) | {"checkpoint": path})

    @classmethod
    def of(cls, line: bytes | str) -> Status | None:
        """Read a status from its `line`; None if the line is not a status."""
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
        Folder of MNIST. If MNIST is nowhere, the training uses the shipped digits.
    resume
        Go on with the run in `out`.
    learning_rate
        Used from the first step on, instead of the recipe's.
    """
    found = [sys.executable, "-m", "ldam_studio", "train", "live"]
    found += ["--out", str(out), "--seed", str(seed)]
    if data is not None:
        found += ["--data", str(data)]
    if learning_rate is not None:
        found += ["--learning-rate", str(learning_rate)]
    return [*found, "--resume"] if resume else found


def pause(yes: bool) -> bytes:
    """Return the line that pauses the training, or lets it continue."""
    return _line({"pause": yes})


def learning_rate(rate: float | None) -> bytes:
    """Return the line that sets the learning rate of the next steps; None for the recipe's."""
    return _line({"learning_rate": rate})


def averaging(steps: int) -> bytes:
    """Return the line that sets the time of the moving average in checkpoints; 0 for none."""
    return _line({"averaging": steps})


def stop() -> bytes:
    """Return the line that ends the training, after a last checkpoint."""
    return _line({"stop": True})


def ended(code: int, last: Status | None) -> str:
    """Return a sentence about a process that has ended; empty if it ended as it should.

    Parameters
    ----------
    code
        Its exit code; if negative, minus the signal that ended it.
    last
        Its last status.
    """
    if last is not None and last.error:
        return last.error
    if code == 0 and last is not None and last.state in ("finished", "stopped"):
        return ""
    where = "before its first step" if last is None else f"after step {last.step:,}"
    how = f"signal {-code}" if code < 0 else f"code {code}"
    if last is None or last.checkpoint is None:
        return (
            f"The training process ended unexpectedly {where} ({how}) and left no checkpoint; "
            "start it again."
        )
    return (
        f"The training process ended unexpectedly {where} ({how}); its checkpoints are complete, "
        "resume it to continue from the last one."
    )


def runs_folder() -> Path:
    """Return the folder of the studio's own runs, in the program's cache."""
    return cache_folder() / "live"


def new_folder() -> Path:
    """Return a new folder, not yet created, for the checkpoints of one of the studio's own runs."""
    base = runs_folder()
    name = time.strftime("mnist-%Y%m%d-%H%M%S")
    folder, number = base / name, 1
    while folder.exists():
        number += 1
        folder = base / f"{name}-{number}"
    return folder


class Commands:
    """Reads commands on its own thread, so that waiting for one does not delay a step.

    Parameters
    ----------
    file
        Descriptor of an open file; None for no commands. It is read without Python's buffers: a
        thread that waits in a buffer holds its lock even at the end of the process.
    """

    def __init__(self, file: int | None) -> None:
        self._queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        if file is not None:
            threading.Thread(target=self._read, args=(file,), name="commands", daemon=True).start()

    def next(self, *, wait: bool) -> dict[str, Any] | None:
        """Return the next command; without ``wait``, None if there is none yet."""
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
    """Writes statuses to an open file; errors are ignored, since the reader may be gone."""

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
