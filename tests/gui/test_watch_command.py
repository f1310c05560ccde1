"""``ldam-studio watch``: what it opens before the window, and what it refuses in the terminal."""

from __future__ import annotations

import math
from argparse import Namespace

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.commands import watch
from ldam_studio.engine.watching.reader import take
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.networks.weights.checkpoint_folder import Folder
from ldam_studio.training import CheckpointWriter


@pytest.fixture
def opened(monkeypatch):
    """Return what the window would start with."""
    found = []
    monkeypatch.setattr(watch, "open_studio", lambda start: found.append(start) or 0)
    return found


def test_the_newest_checkpoint_is_opened_for_the_window(tmp_path, opened):
    writer = CheckpointWriter(tmp_path)
    paths = [writer.write(LeNet5(), step=step) for step in (1, 2)]
    given = ["--average", "3", "--discriminator-rounds", "5"]
    assert main(["watch", str(tmp_path), *given]) == 0
    (start,) = opened
    watched = start.watched
    assert (watched.place, watched.average, watched.rounds) == (tmp_path, 3, 5)
    assert watched.network.weights == paths[-1]
    assert start.named is None and start.file is None


def test_one_of_several_sets_of_weights_is_watched(tmp_path, opened):
    one, two = LeNet5().state_dict(), LeNet5().state_dict()
    torch.save({"model": one, "model_ema": two, "args": Namespace(lr=1)}, tmp_path / "a-1.pt")
    assert main(["watch", f"{tmp_path}::model_ema"]) == 0
    watched = opened[0].watched
    assert watched.place == tmp_path and watched.network.reference["weights_key"] == "model_ema"
    assert torch.equal(watched.network.module.fc3.bias, two["fc3.bias"])
    # So are the later checkpoints.
    torch.save({"model": two, "model_ema": one, "args": Namespace(lr=1)}, tmp_path / "a-2.pt")
    later = take(watched.network, Folder(tmp_path, now=lambda: math.inf).look().checkpoints[-1:])
    assert torch.equal(later.module.fc3.bias, one["fc3.bias"])


def test_what_is_wrong_is_told_in_the_terminal(tmp_path, opened, capsys):
    nowhere, notes = tmp_path / "nowhere", tmp_path / "notes.txt"
    notes.write_text("no weights")
    for given, sentence in (
        ([str(nowhere)], f"The folder {nowhere} cannot be read"),
        ([str(notes)], "notes.txt is not a checkpoint: it is not a weights file"),
        ([str(tmp_path)], "for another architecture"),
        ([str(tmp_path), "--average", "51"], "--average must lie between 0 and 50"),
        ([str(tmp_path), "--network", "nothing"], "There is no network 'nothing'"),
        ([], "FILE_OR_FOLDER"),
    ):
        if "architecture" in sentence:
            CheckpointWriter(tmp_path).write(torch.nn.Linear(2, 3), step=1)
        assert main(["watch", *given]) == 2
        assert sentence in capsys.readouterr().err
    assert not opened
