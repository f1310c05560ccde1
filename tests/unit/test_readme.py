"""The README says what the program says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from folders import at_rest
from ldam_studio.cli import COMMANDS, main
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.sampler.settings_table import about_settings, markdown
from ldam_studio.training import CheckpointWriter

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_are_those_of_the_program():
    assert markdown() in README, "put the output of `ldam-studio info --settings` into README.md"


def test_every_setting_is_in_the_table():
    assert [row["name"] for row in about_settings()] == list(SETTINGS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_is_in_the_readme(command):
    assert f"ldam-studio {command}" in README


def test_every_picture_and_file_that_is_named_exists():
    named = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README)
    paths = {first or second for first, second in named}
    assert any(path.endswith(".png") for path in paths)
    assert any(path.endswith(".webp") for path in paths)
    for path in paths:
        assert (ROOT / path).exists(), path


def test_the_callback_for_lightning_writes_checkpoints(tmp_path, monkeypatch):
    """With a trainer that only calls as Lightning does: that itself is not needed here."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (code,) = (block for block in blocks if "lightning.Callback" in block)
    names = {
        "lightning": SimpleNamespace(Callback=object),
        "CheckpointWriter": CheckpointWriter,
    }
    exec(code, names)
    watch, module = names["Watch"](), nn.Linear(2, 1)
    for step in range(1, 402):
        loss = module(torch.ones(1, 2)).sum()
        watch.on_train_batch_end(
            SimpleNamespace(global_step=step, current_epoch=0), module, {"loss": loss}, None, step
        )
    written = at_rest(tmp_path / "checkpoints").look().checkpoints
    assert [checkpoint.step for checkpoint in written] == [200, 400]
    assert written[-1].loss == pytest.approx(loss.item())
    averaged = at_rest(tmp_path / "checkpoints" / "averaged").look()
    assert len(averaged.checkpoints) == 2


def test_pictures_are_small():
    for path in (ROOT / "resources" / "readme").iterdir():
        bound = 300_000 if path.suffix == ".png" else 2_000_000
        assert path.stat().st_size < bound, path.name


def test_info_prints_the_settings_in_both_forms(capsys):
    assert main(["info", "--settings"]) == 0
    assert capsys.readouterr().out.strip() == markdown()
    assert main(["info", "--settings", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == about_settings()
