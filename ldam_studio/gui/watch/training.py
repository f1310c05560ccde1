"""Starts a training of LeNet on MNIST, and watches it from its first step."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ldam_studio.engine.watching import process
from ldam_studio.engine.watching.opening import open_watched
from ldam_studio.errors import StudioError
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.task import Task
from ldam_studio.gui.watch.timeline import Plan
from ldam_studio.gui.watch.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio
    from ldam_studio.gui.watch.watch import Watch
    from ldam_studio.networks.network import Network

NETWORK = "lenet"
ROUNDS = 1  # initial number of rounds that the discriminator learns after each checkpoint
_STEP = re.compile(r"\d+$")  # at the end of a checkpoint's name
NOTICE, ENDED = "training", "training-ended"  # keys of messages


class WatchTraining(QObject):
    """Starts the training, shows its state in the panel, and sends it the user's changes.

    The training ends when watching ends: when the user stops it, opens another session, or closes
    the window.
    """

    def __init__(self, studio: Studio, watch: Watch) -> None:
        super().__init__(studio.places.root)
        self._studio, self._watch = studio, watch
        self._task: Task | None = None
        self.trainer: Trainer | None = None
        self.folder: Path | None = None
        self._notice = ""
        self._rate: float | None = None  # learning rate that the user has set
        self._opening: Opening | None = None
        studio.controller.opening.connect(self._on_opening)
        watch.ended.connect(self.leave)
        panel = watch.panel
        panel.pause_asked.connect(lambda yes: self._send(process.pause(yes)))
        panel.rate_chosen.connect(self._set_rate)
        panel.schedule_asked.connect(lambda: self._set_rate(None))
        panel.averaging_chosen.connect(lambda steps: self._send(process.averaging(steps)))
        panel.stop_asked.connect(self._stop)
        panel.resume_asked.connect(self.resume)

    def start(self) -> None:
        """Start a new training and watch it."""
        if self.trainer is not None and not self.trainer.is_over:
            self._studio.notices.say("A training is already running; stop it, then start another.")
            return
        self._watch.stop()
        self.leave()
        folder = process.new_folder()
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            self._studio.notices.say(
                f"The folder {folder} for the training cannot be created ({error.strerror}); free "
                "some space, or check the folder's permissions.",
                "danger",
            )
            return
        self.folder, self._rate = folder, None
        self._start_trainer()  # now, because the process takes seconds to start
        self._task = Task(partial(_prepare, folder))
        self._task.setObjectName("watch-training")
        self._task.done.connect(self._on_network)
        self._task.failed.connect(self._on_failed)
        self._task.start()

    def resume(self) -> None:
        """Resume a training that was stopped or has failed."""
        if self.folder is not None and (self.trainer is None or self.trainer.is_over):
            self._studio.notices.dismiss(ENDED)
            self._leave_trainer()
            self._start_trainer(resume=True)
            if self._rate is None:  # the saved training may have a rate that was set by hand
                self._send(process.learning_rate(None))
            self._send(process.averaging(self._watch.panel.averaging.value()))
            self._show()

    def leave(self) -> None:
        """End the training, and abandon opening its network; returns at once."""
        self._leave_task()
        self._leave_trainer()
        self.folder = self._opening = None
        self._notice = ""
        self._studio.notices.dismiss(NOTICE)

    def close(self) -> None:
        """End the training and wait until its process has ended."""
        self.leave()
        for trainer in self.findChildren(Trainer):
            trainer.wait()

    def _start_trainer(self, *, resume: bool = False) -> None:
        assert self.folder is not None
        self.trainer = Trainer(self)
        self.trainer.told.connect(self._show)
        self.trainer.ended.connect(self._on_ended)
        # The rate holds from the first step on, because the previous rate may have diverged.
        self.trainer.start(self.folder, self._studio.data, resume=resume, learning_rate=self._rate)

    def _leave_task(self) -> None:
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _leave_trainer(self) -> None:
        if self.trainer is not None:
            self.trainer.leave()
            self.trainer = None

    def _on_network(self, network: Network) -> None:
        self._leave_task()
        studio, folder = self._studio, self.folder
        assert folder is not None
        opening = network_opening(network, studio.device, studio.data)
        note = "LeNet is being trained on digits, and is shown as it learns."
        self._opening = replace(opening, title="LeNet on MNIST", hint="", note=note)
        self._watch.start(Plan(folder, rounds=ROUNDS, own=True), self._opening)
        self._show()

    def _on_failed(self, error: StudioError) -> None:
        self.leave()
        self._studio.notices.say(str(error), "danger")

    def _on_opening(self, opening: Opening) -> None:
        if opening is not self._opening:
            self.leave()

    def _on_ended(self, sentence: str) -> None:
        if sentence:
            actions = (("Resume training", self.resume),)
            # The training may have ended before its session is open.
            soon = self._opening is None
            self._studio.notices.say(sentence, "danger", actions, key=ENDED, lasting=soon)
        self._show()

    def _set_rate(self, rate: float | None) -> None:
        """Set the learning rate, None for the recipe's; a resumed training uses it, too."""
        self._rate = rate
        self._send(process.learning_rate(rate))

    def _send(self, line: bytes) -> None:
        if self.trainer is not None:
            self.trainer.send(line)

    def _stop(self) -> None:
        if self.trainer is not None:
            self.trainer.stop()

    def _show(self, *_: object) -> None:
        trainer = self.trainer
        if trainer is None:
            return
        status = trainer.status
        notice = "" if status is None else status.notice
        if notice and notice != self._notice:
            self._notice = notice
            self._studio.notices.say(notice, "info", key=NOTICE)
            self._watch.panel.state.setToolTip(notice)
        self._watch.panel.show_training(
            words_of(status, trainer.is_over),
            0.0 if status is None or not status.steps else status.step / status.steps,
            paused=status is not None and status.state == "paused",
            over=trainer.is_over,
            rate=None if status is None else status.learning_rate,
        )


def words_of(status: process.Status | None, over: bool) -> str:
    """Return the state of a training in one line."""
    if status is None:
        return "The training did not start." if over else "The training is starting …"
    words = {"training": "Training", "paused": "Paused", "finished": "Finished"}
    ended = over and status.state != "finished"
    parts = [
        "Ended" if ended else words.get(status.state, "Ending"),
        f"epoch {status.epoch:.1f}",
        f"step {status.step:,} of {status.steps:,}",
    ]
    if status.loss is not None:
        parts.append(f"loss {status.loss:.3f}")
    if status.accuracy is not None:
        # The accuracy of the last checkpoint; later steps may have changed it.
        step = None if status.checkpoint is None else _STEP.search(status.checkpoint.stem)
        at = "" if step is None else f" at step {int(step[0]):,}"
        parts.append(f"accuracy {100 * status.accuracy:.1f} %{at}")
    return " · ".join(parts)


def forget_runs(folder: Path) -> None:
    """Delete old runs beside this folder, so that `process.KEPT_RUNS` remain with this one."""
    runs = sorted(path for path in folder.parent.glob("mnist-*") if path != folder)
    for run in runs[: max(0, len(runs) + 1 - process.KEPT_RUNS)]:
        shutil.rmtree(run, ignore_errors=True)


def _prepare(folder: Path, _task: Task) -> Network:
    forget_runs(folder)
    return open_watched(NETWORK, folder)
