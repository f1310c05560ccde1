"""A training process that is watched and interfered with: what it writes, tells and refuses."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from argparse import Namespace
from dataclasses import replace
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file

from folders import at_rest
from ldam_studio.cli import build_parser, main
from ldam_studio.commands.train import live as train_live
from ldam_studio.commands.train import live_digits
from ldam_studio.commands.train.live_training import STATE_FILE, LiveTraining
from ldam_studio.engine.watching import process as live
from ldam_studio.engine.watching.process import Status
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training import classifier, data
from ldam_studio.training import classifier_recipes as recipes
from synthetic import write_mnist


@pytest.fixture(scope="module", autouse=True)
def _small_batches():
    small = replace(recipes.LENET_RECIPE, batch=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "LENET_RECIPE", small)
        yield


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_mnist(tmp_path_factory.mktemp("digits"), train=60, test=20)


def flags(out, folder, *more) -> Namespace:
    given = ["train", "live", "--out", str(out), "--data", str(folder), "--every", "8", *more]
    return build_parser().parse_args(given)


class Attentive(live.Commands):
    """Waits for its first command, so that a training on few digits is not over before it comes."""

    waits = True

    def next(self, *, wait):
        first, self.waits = self.waits, False
        return super().next(wait=wait or first)


class Session:
    """A training on a thread, with both ends of its pipes here; it waits for the first command."""

    def __init__(self, arguments: Namespace) -> None:
        commands, self._commands = os.pipe()
        statuses_out, statuses = os.pipe()
        self._statuses = os.fdopen(statuses_out, "rb")
        self._files = commands, statuses
        self._thread = threading.Thread(target=self._run, args=(arguments,))

    def _run(self, arguments: Namespace) -> None:
        try:
            with mock.patch.object(train_live, "Commands", Attentive):
                train_live.follow(arguments, *self._files)
        finally:
            os.close(self._files[1])

    def say(self, *lines: bytes) -> None:
        os.write(self._commands, b"".join(lines))

    def until(self, condition) -> Status:
        """Read statuses until one fulfils a condition."""
        for line in self._statuses:
            status = Status.of(line)
            if condition(status):
                return status
        raise AssertionError("the training ended")

    def rest(self) -> list[Status]:
        return [Status.of(line) for line in self._statuses]

    def hang_up(self) -> None:
        if self._commands is not None:
            os.close(self._commands)
            self._commands = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.hang_up()
        self.rest()
        self._thread.join()
        self._statuses.close()
        os.close(self._files[0])


def alone(arguments: Namespace) -> list[Status]:
    """Train to the end, undisturbed, and return what was told."""
    # No pipe: nobody would empty it.
    with tempfile.TemporaryFile() as statuses:
        train_live.follow(arguments, None, statuses.fileno())
        statuses.seek(0)
        return [Status.of(line) for line in statuses]


def weights(folder, step: int) -> bytes:
    return (folder / f"lenet-{step:08d}.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """The folder of a run that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    statuses = alone(flags(out, digits))
    assert statuses[-1].state == "finished"
    return out


def test_checkpoints_come_early_and_then_regularly_with_what_is_known(whole, digits, tmp_path):
    statuses = alone(flags(tmp_path, digits))
    listing = at_rest(tmp_path).look()
    assert [c.step for c in listing.checkpoints] == [0, 5, 8, 10, 16, 20, 24, 30]
    assert not listing.skipped
    last = listing.checkpoints[-1]
    assert last.epoch == 10
    assert statuses[-1].accuracy == last.accuracy
    assert statuses[-1].loss == last.loss
    assert (statuses[-1].step, statuses[-1].steps) == (30, 30)
    assert statuses[-1].checkpoint == last.path
    # The same seed on the same machine.
    assert weights(tmp_path, 30) == weights(whole, 30)
    again = tmp_path / "again"
    alone(flags(again, digits, "--seed", "1"))
    assert weights(again, 30) != weights(whole, 30)
    assert torch.equal(
        open_network("lenet", last.path).module.fc3.bias, load_file(last.path)["fc3.bias"]
    )


def test_it_ends_when_nobody_speaks_to_it_and_resumes_to_the_same_weights(whole, digits, tmp_path):
    with Session(flags(tmp_path, digits)) as session:
        session.say(live.pause(True))
        resting = session.until(lambda s: s.state == "paused")
        session.hang_up()
        last = session.rest()[-1]
    assert last.state == "stopped"
    assert last.step == resting.step < 30
    assert last.checkpoint.exists()
    statuses = alone(flags(tmp_path, digits, "--resume"))
    assert statuses[0].step == last.step
    assert statuses[0].accuracy == last.accuracy
    assert weights(tmp_path, 30) == weights(whole, 30)


def test_broken_off_between_two_checkpoints_it_resumes_to_the_same_weights(
    whole, digits, tmp_path, monkeypatch
):
    obey = LiveTraining._obey

    def die(training):
        if training._state.step == 14:
            raise KeyboardInterrupt
        obey(training)

    monkeypatch.setattr(LiveTraining, "_obey", die)
    with pytest.raises(KeyboardInterrupt):
        alone(flags(tmp_path, digits))
    monkeypatch.undo()
    assert [c.step for c in at_rest(tmp_path).look().checkpoints] == [0, 5, 8, 10]
    assert alone(flags(tmp_path, digits, "--resume"))[0].step == 10
    assert weights(tmp_path, 30) == weights(whole, 30)


def test_it_rests_and_goes_on_and_changes_its_rate(digits, tmp_path):
    with Session(flags(tmp_path, digits)) as session:
        session.say(b"not a command\n", b"[1]\n", live.pause(True))
        session.until(lambda s: s.state == "paused")
        session.say(live.learning_rate(0.0))
        told = session.until(lambda s: s.learning_rate == 0)
        assert told.state == "paused"
        session.say(live.learning_rate(-1.0))
        assert "from 0 to 100" in session.until(lambda s: s.notice).notice
        session.say(live.pause(False))
        assert session.until(lambda s: s.state == "training").step == told.step
        end = session.rest()[-1]
    assert end.state == "finished"
    standing = load_file(end.checkpoint)["fc3.bias"]
    assert torch.equal(standing, load_file(tmp_path / "lenet-00000024.safetensors")["fc3.bias"])


def test_what_is_set_while_it_rests_on_a_checkpoint_is_kept(digits, tmp_path, monkeypatch):
    asked = [live.pause(True), live.learning_rate(1e-5), live.averaging(500), live.stop()]
    step = iter(range(100))

    def following(_commands, *, wait):
        # Nothing until the checkpoint of step 5, then one after the other.
        return json.loads(asked.pop(0)) if wait or next(step) == 4 else None

    with monkeypatch.context() as patch:
        patch.setattr(live.Commands, "next", following)
        assert alone(flags(tmp_path, digits))[-1].step == 5
    first = alone(flags(tmp_path, digits, "--resume"))[0]
    assert (first.step, first.learning_rate, first.averaging) == (5, 1e-5, 500)


def test_fewer_digits_than_a_batch_are_a_sentence(tmp_path):
    few = write_mnist(tmp_path / "few", train=19, test=5)
    with pytest.raises(StudioError, match="19 training images here, too few for one batch of 20"):
        alone(flags(tmp_path / "out", few))


def test_checkpoints_hold_the_average_once_it_is_asked_for(digits, tmp_path, monkeypatch):
    seen = []
    step = LiveTraining._on_step

    def note(training, state):
        window = training._window  # before what it is told after the step
        step(training, state)
        seen.append((window, state.module.fc3.bias.detach().double().clone()))

    monkeypatch.setattr(LiveTraining, "_on_step", note)
    with Session(flags(tmp_path, digits)) as session:
        session.say(live.pause(True))
        session.until(lambda s: s.state == "paused")
        session.say(live.averaging(-1), live.averaging(1000), live.pause(False))
        last = session.rest()[-1]
    assert last.averaging == 1000
    samples = [bias for window, bias in seen if window]
    found = load_file(last.checkpoint)["fc3.bias"].double()
    assert (found - torch.stack(samples).mean(0)).abs().max() < 1e-6
    assert not torch.allclose(found, samples[-1], atol=1e-6)
    # And what is resumed goes on averaging.
    beside = torch.load(io.BytesIO((tmp_path / STATE_FILE).read_bytes()))["beside"]
    assert beside["averaging"] == 1000
    assert beside["average"]["count"] == len(samples)


@pytest.mark.thorough
def test_without_mnist_it_says_so_and_learns_from_what_is_shipped(tmp_path, monkeypatch):
    monkeypatch.setenv("LDAM_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(live_digits, "SHEET_EPOCHS", 1)
    arguments = flags(tmp_path / "out", tmp_path)
    arguments.data = None
    statuses = alone(arguments)
    assert all("MNIST is not on this computer" in s.notice for s in statuses)
    assert "4,500 digits" in statuses[0].notice
    assert "--download" in statuses[0].notice
    assert statuses[0].accuracy < 0.25 < 0.5 < statuses[-1].accuracy


def test_mnist_is_fetched_where_that_is_asked_for(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "download_mnist", lambda: digits)
    with pytest.raises(StudioError, match="or add --download to download them"):
        alone(flags(tmp_path / "out", tmp_path / "nothing"))
    statuses = alone(flags(tmp_path / "out", tmp_path / "nothing", "--download"))
    assert statuses[-1].state == "finished" and not statuses[0].notice


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), "was not found in"),
        (lambda path: path.write_bytes(b"nothing"), "is damaged"),
        (lambda path: path.write_bytes(gzip.compress(b"\0\0\x08\x01")), "not an IDX file"),
    ],
)
def test_data_that_is_named_and_bad_is_a_sentence(
    digits, tmp_path, spoil, sentence, capfd, monkeypatch
):
    folder = tmp_path / "data"
    shutil.copytree(digits, folder)
    spoil(folder / data.FILES["train"][0])
    out = tmp_path / "out"
    arguments = flags(out, folder)
    with pytest.raises(StudioError, match=sentence):
        alone(arguments)
    monkeypatch.setattr(train_live, "give_way", lambda: None)
    assert main(["train", "live", "--data", str(folder), "--out", str(out), "--alone"]) == 2
    said = capfd.readouterr()
    status = Status.of(said.out)
    assert status.state == "failed"
    assert sentence in status.error
    assert status.error in said.err
    assert live.ended(2, status) == status.error


def test_a_folder_with_another_run_is_not_written_into(digits, whole, tmp_path):
    before = sorted(whole.iterdir())
    with pytest.raises(StudioError, match="checkpoints of another run"):
        alone(flags(whole, digits))
    assert sorted(whole.iterdir()) == before
    with pytest.raises(StudioError, match="no run to resume"):
        alone(flags(tmp_path, digits, "--resume"))


def test_no_room_for_a_checkpoint_is_a_sentence_and_the_last_one_stays(
    whole, digits, tmp_path, monkeypatch
):
    rename = os.replace

    def full(source, target):
        if "00000016" in str(target):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StudioError, match="No space left on device"):
        alone(flags(tmp_path, digits))
    assert [c.step for c in at_rest(tmp_path).look().checkpoints] == [0, 5, 8, 10]
    monkeypatch.undo()
    alone(flags(tmp_path, digits, "--resume"))
    assert weights(tmp_path, 30) == weights(whole, 30)


@pytest.mark.parametrize("name", ["fc3.bias", "fc1.weight"])
def test_training_that_diverges_is_a_sentence_and_writes_nothing_bad(
    digits, tmp_path, monkeypatch, name
):
    start = classifier.start

    def doomed(make, recipe, seed):
        run = start(make, replace(recipe, learning_rate=1e30), seed)
        run.rate = 1e30
        return run

    monkeypatch.setattr(classifier, "start", doomed)
    with pytest.raises(StudioError, match="diverged in step"):
        alone(flags(tmp_path, digits))
    for checkpoint in at_rest(tmp_path).look().checkpoints:
        assert bool(load_file(checkpoint.path)[name].isfinite().all())


@pytest.mark.thorough
def test_a_process_that_is_killed_leaves_whole_checkpoints(tmp_path):
    digits = write_mnist(tmp_path / "digits", train=100)
    out = tmp_path / "out"
    command = [*live.command(out, data=digits), "--every", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(live.pause(True))
        process.stdin.flush()
        last = None
        for line in process.stdout:
            last = Status.of(line)
            if last.state == "paused":
                break
        process.kill()
    sentence = live.ended(process.returncode, last)
    assert "ended unexpectedly after step" in sentence
    if sys.platform != "win32":
        assert f"signal {int(signal.SIGKILL)}" in sentence
    listing = at_rest(out).look()
    assert [c.step for c in listing.checkpoints] == list(range(last.step + 1))
    assert not listing.skipped


def test_a_status_is_read_as_it_was_written_and_nothing_else_is():
    status = Status("paused", 3, 30, 0.1, 2.3, None, 1e-3, 5, None, "so", "")
    assert Status.of(status.line()) == status
    for line in (b"", b"[]", b"{}", b'{"state": "odd", "checkpoint": null}', b"\xff"):
        assert Status.of(line) is None


def test_a_regular_end_needs_no_sentence():
    assert live.ended(0, Status("finished")) == ""
    for last in (None, Status("training")):
        assert live.ended(1, last).endswith("(code 1) and left no checkpoint; start it again.")


def test_a_new_folder_is_not_there_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(live.time, "strftime", lambda form: "mnist-1")
    first = live.new_folder()
    first.mkdir(parents=True)
    assert live.new_folder() != first
