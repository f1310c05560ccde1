"""``ldam-studio train live``: train LeNet while somebody watches, and let them interfere."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch

from ldam_studio.commands.shared import flags
from ldam_studio.engine.watching.process import MOST_AVERAGED, Commands, Status, Telling
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.networks.weights.suffixes import is_weights
from ldam_studio.networks.weights.weights import not_finite
from ldam_studio.training import classifier
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.checkpoints import CheckpointWriter
from ldam_studio.training.data import Digits, find_mnist, load_digits_sheet, load_mnist
from ldam_studio.training.resume import load_run, save_run

RUN_FILE = "run.state"
EVERY = 100
EARLY = (0, 5, 10, 20, 50)
"""Steps with a checkpoint of their own: the first ones change most."""
TOLD_S = 0.25  # between two statuses
JUDGED = 1000  # test digits that say how accurate a checkpoint is
KEPT_OUT = 50  # digits of each class of the sheet that are not learned, where there is no test set
SHEET_EPOCHS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--data", type=Path, help="folder of MNIST's four .gz files")
    parser.add_argument("--download", action="store_true", help="fetch MNIST where it is missing")
    parser.add_argument(
        "--out", type=Path, default=Path("out/live"), help="where checkpoints are written"
    )
    parser.add_argument("--seed", type=flags.whole_number("--seed", 0, 2**31), default=0)
    parser.add_argument(
        "--every",
        type=flags.whole_number("--every", 1, 100_000),
        default=EVERY,
        help=f"steps between two checkpoints; default {EVERY}",
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="N", help="instead of the recipe's schedule"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument(
        "--alone", action="store_true", help="hear no commands; go on when the input is closed"
    )


def run(args: argparse.Namespace) -> int:
    """Train, write checkpoints, tell how it goes; returns the exit code.

    Raises
    ------
    StudioError
        MNIST is not in the folder that was named, or damaged; checkpoints cannot be written; the
        training diverged.
    """
    # More threads than one cost time on a network this small, and change the last bits.
    torch.set_num_threads(1)
    _give_way()
    return follow(args, None if args.alone else sys.stdin.fileno(), sys.stdout.fileno())


def follow(args: argparse.Namespace, commands: int | None, statuses: int) -> int:
    """Train as `run` does, between two open files: commands are read, statuses written."""
    told = Telling(statuses)
    try:
        return _Training(args, Commands(commands), told).run()
    except StudioError as error:
        told.tell(replace(told.last, state="failed", error=str(error)))
        raise


def _give_way() -> None:
    """Let the window and the sampler, which somebody looks at, go first."""
    low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 10
    psutil.Process().nice(low)


class _Stopped(Exception):
    pass


@dataclass(frozen=True)
class _Data:
    """Digits to learn from, and those that tell how well; `notice` says which, if that matters."""

    train: Digits
    test: Digits
    epochs: int
    notice: str = ""

    @classmethod
    def find(cls, data: Path | None, download: bool) -> _Data:
        """Return MNIST, or where it is nowhere and was not asked for, the digits shipped."""
        try:
            find_mnist(data)
        except StudioError:
            if data is None and not download:
                return cls._sheet()
        test = load_mnist(data, "test", download)
        part = Digits(test.images[:JUDGED], test.labels[:JUDGED])
        return cls(load_mnist(data, "train", download), part, classifier.LENET_RECIPE.epochs)

    @classmethod
    def _sheet(cls) -> _Data:
        sheet = load_digits_sheet()
        number = torch.arange(len(sheet)) % (len(sheet) // int(sheet.labels.max() + 1))
        learned = number >= KEPT_OUT
        train, test = (Digits(sheet.images[m], sheet.labels[m]) for m in (learned, ~learned))
        return cls(
            train,
            test,
            SHEET_EPOCHS,
            f"MNIST is not on this computer, so it learns from {len(train):,} digits that come "
            "with the program; ldam-studio train mnist --download fetches all of it (11 MB).",
        )


class _Training:
    """A run under way, its checkpoints, and what it is told."""

    def __init__(self, args: argparse.Namespace, commands: Commands, telling: Telling) -> None:
        self._commands, self._telling = commands, telling
        self._data = _Data.find(args.data, args.download)
        batch, there = classifier.LENET_RECIPE.batch, len(self._data.train)
        if there < batch:
            raise StudioError(
                f"MNIST's training images are {there}, too few for one batch of {batch}; name a "
                "folder with all of them (--data)."
            )
        self._every = args.every
        self._folder: Path = args.out
        self._recipe = replace(
            classifier.LENET_RECIPE.with_epochs(self._data.epochs), average_epochs=0
        )
        self._state = classifier.start(LeNet5, self._recipe, args.seed)
        self._average: ParameterAverage | None = None
        self._window = 0
        self._told_at = 0.0
        self._status = Status(
            "training",
            steps=len(self._data.train) // self._recipe.batch * self._recipe.epochs,
            notice=self._data.notice,
        )
        self._prepare(args)

    def _prepare(self, args: argparse.Namespace) -> None:
        check_folder(self._folder)
        if args.resume:
            beside = load_run(self._state, self._recipe, self._folder / RUN_FILE)
            self._set_averaging(int(beside["averaging"]))
            if self._average is not None:
                self._average.restore(beside["average"])
            self._status = replace(
                self._status,
                accuracy=beside["accuracy"],
                loss=beside["loss"],
                checkpoint=self._folder / beside["checkpoint"],
            )
        elif any(is_weights(path) for path in self._folder.iterdir()):
            raise StudioError(
                f"{self._folder} has checkpoints of another run; choose another folder with --out, "
                "or go on with that run with --resume."
            )
        if args.learning_rate is not None:
            self._set_rate(args.learning_rate)
        self._losses = self._state.losses
        self._written = self._state.step if args.resume else -1  # the last checkpoint's step
        self._writer = CheckpointWriter(self._folder, name="lenet")

    def run(self) -> int:
        try:
            if self._state.step == 0:
                self._write()
            self._tell("training")
            for _ in classifier.train(self._state, self._recipe, self._data.train, self._on_step):
                self._losses = 0.0
        except _Stopped:
            self._write()
            self._tell("stopped")
            return 0
        self._write()
        self._tell("finished")
        return 0

    def _on_step(self, state: classifier.ClassifierRun) -> None:
        loss, self._losses = state.losses - self._losses, state.losses
        self._status = replace(self._status, loss=loss)
        if not math.isfinite(loss) or not_finite(state.module.state_dict()) is not None:
            raise StudioError(
                f"The training diverged in step {state.step:,}: its loss or weights are no longer "
                "numbers; resume it from the last checkpoint with a lower learning rate."
            )
        if self._average is not None:
            self._average.update(state.module)
        if state.step % self._every == 0 or state.step in EARLY:
            self._write()
            self._tell("training")
        elif time.monotonic() - self._told_at > TOLD_S:
            self._tell("training")
        self._obey()

    def _obey(self) -> None:
        """Do what was asked for; while paused, wait for more of it."""
        paused = False
        while True:
            asked = self._commands.next(wait=paused)
            if asked is None:
                return
            pause = asked.pop("pause", paused)
            if asked.pop("stop", False):
                raise _Stopped
            try:
                if "learning_rate" in asked:
                    self._set_rate(asked["learning_rate"])
                if "averaging" in asked:
                    self._set_averaging(asked["averaging"])
                notice = self._data.notice
            except StudioError as error:
                notice = str(error)
            paused = bool(pause)
            self._status = replace(self._status, notice=notice)
            self._tell("paused" if paused else "training")

    def _set_rate(self, rate: Any) -> None:
        """Set it by hand; None goes back to the recipe's schedule."""
        if rate is not None and (not isinstance(rate, int | float) or not 0 <= rate <= 100):
            raise StudioError(f"The learning rate is a number from 0 to 100, not {rate!r}.")
        self._state.rate = None if rate is None else float(rate)

    def _set_averaging(self, steps: Any) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= MOST_AVERAGED:
            raise StudioError(
                f"The averaging time is a whole number of steps from 0 to {MOST_AVERAGED}, not "
                f"{steps!r}."
            )
        self._window = steps
        if not steps:
            self._average = None
        elif self._average is None:
            self._average = ParameterAverage(steps)
        else:
            self._average.window = steps

    def _write(self) -> None:
        """Write a checkpoint, and beside it what the run needs to go on from there.

        What was set since is in the latter, also where the checkpoint is there already.
        """
        if self._written != self._state.step:
            self._write_checkpoint()
        average = {} if self._average is None else self._average.stored()
        last = self._status.checkpoint
        beside: Mapping[str, Any] = {
            "averaging": self._window,
            "average": average,
            "accuracy": self._status.accuracy,
            "loss": self._status.loss,
            "checkpoint": "" if last is None else last.name,
        }
        save_run(self._state, self._recipe, self._folder / RUN_FILE, beside)

    def _write_checkpoint(self) -> None:
        state = self._state
        shown = state.module
        if self._average is not None and self._average.count:
            shown = LeNet5()
            shown.load_state_dict(self._average.state_dict())
        outputs = classifier.predict(shown, self._data.test, self._recipe)
        state.module.train()
        accuracy = classifier.accuracy(outputs, self._data.test.labels)
        path = self._writer.write(
            shown,
            step=state.step,
            epoch=self._epoch,
            loss=self._status.loss,
            accuracy=accuracy,
        )
        self._status = replace(self._status, accuracy=accuracy, checkpoint=path)
        self._written = state.step

    @property
    def _epoch(self) -> float:
        steps = len(self._data.train) // self._recipe.batch
        return round(self._state.step / steps, 3)

    def _tell(self, state: str) -> None:
        rates = {group["lr"] for group in self._state.optimiser.param_groups}
        rate = self._state.rate
        self._status = replace(
            self._status,
            state=state,
            step=self._state.step,
            epoch=self._epoch,
            learning_rate=max(rates) if rate is None else rate,
            averaging=self._window,
        )
        self._telling.tell(self._status)
        self._told_at = time.monotonic()
