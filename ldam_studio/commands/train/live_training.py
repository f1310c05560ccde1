"""LeNet's training while the studio watches: it writes checkpoints and reads commands."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ldam_studio.commands.train.live_digits import LiveDigits
from ldam_studio.engine.watching.process import LONGEST_AVERAGING, Commands, Status, Telling
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.networks.weights.checkpoint_places import STATE_FILE
from ldam_studio.networks.weights.suffixes import is_weights
from ldam_studio.networks.weights.weights import not_finite
from ldam_studio.training import classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.checkpoint_writer import CheckpointWriter
from ldam_studio.training.resume import load_run, save_run

EARLY = (0, 5, 10, 20, 50)
"""Additional steps with a checkpoint, because the first steps change the network most."""
TOLD_S = 0.25  # seconds between two statuses


class _Stopped(Exception):
    pass


class LiveTraining:
    """A training that writes checkpoints, reports its status and carries out commands.

    Parameters
    ----------
    args
        The flags of ``train live``.
    commands, telling
        Source of the commands, and receiver of the statuses.

    Raises
    ------
    StudioError
        If MNIST is missing or damaged, the folder cannot be written to or contains another run, or
        there is no run to resume.
    """

    def __init__(self, args: argparse.Namespace, commands: Commands, telling: Telling) -> None:
        self._commands, self._telling = commands, telling
        self._data = LiveDigits.find(args.data, args.download)
        batch, there = recipes.LENET_RECIPE.batch, len(self._data.train)
        if there < batch:
            raise StudioError(
                f"MNIST has only {there} training images here, too few for one batch of {batch}; "
                "name a folder with all of them (--data)."
            )
        self._every = args.every
        self._folder: Path = args.out
        self._recipe = replace(
            recipes.LENET_RECIPE.with_epochs(self._data.epochs), average_epochs=0
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
            beside = load_run(self._state, self._recipe, self._folder / STATE_FILE)
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
                f"{self._folder} contains checkpoints of another run; choose another folder with "
                "--out, or continue that run with --resume."
            )
        if args.learning_rate is not None:
            self._set_rate(args.learning_rate)
        self._losses = self._state.losses
        self._written = self._state.step if args.resume else -1  # the last checkpoint's step
        self._writer = CheckpointWriter(self._folder, name="lenet")

    def run(self) -> int:
        """Train until the end or until a command stops it; return the exit code.

        Raises
        ------
        StudioError
            If the training diverged, or a checkpoint cannot be written.
        """
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
                f"The training diverged in step {state.step:,}: its loss or weights are infinite "
                "or NaN; resume it from the last checkpoint with a lower learning rate."
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
        """Carry out the commands that have arrived; while paused, wait for more."""
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
        """Set the learning rate by hand; None returns to the recipe's schedule."""
        if rate is not None and (not isinstance(rate, int | float) or not 0 <= rate <= 100):
            raise StudioError(f"The learning rate must be a number from 0 to 100, not {rate!r}.")
        self._state.rate = None if rate is None else float(rate)

    def _set_averaging(self, steps: Any) -> None:
        if (
            isinstance(steps, bool)
            or not isinstance(steps, int)
            or not 0 <= steps <= LONGEST_AVERAGING
        ):
            raise StudioError(
                "The averaging time must be a whole number of steps from 0 to "
                f"{LONGEST_AVERAGING}, not {steps!r}."
            )
        self._window = steps
        if not steps:
            self._average = None
        elif self._average is None:
            self._average = ParameterAverage(steps)
        else:
            self._average.window = steps

    def _write(self) -> None:
        """Write a checkpoint, and the state from which the run can be resumed.

        The state is written even if the checkpoint exists, since settings may have changed.
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
        save_run(self._state, self._recipe, self._folder / STATE_FILE, beside)

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
