"""``ldam-studio watch``: what it opens before the window, and what it refuses in the terminal."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.commands import watch
from ldam_studio.networks.models.lenet import LeNet5
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


def test_what_is_wrong_is_told_in_the_terminal(tmp_path, opened, capsys):
    nowhere, notes = tmp_path / "nowhere", tmp_path / "notes.txt"
    notes.write_text("no weights")
    for given, sentence in (
        ([str(nowhere)], f"The folder {nowhere} cannot be read"),
        ([str(notes)], "notes.txt is not a checkpoint; their names end in .safetensors, .pt"),
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
