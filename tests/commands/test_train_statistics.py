"""Measuring photo statistics: the command, its card, and ``render`` with photographs at hand."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.networks.statistics import finding

NETWORK = """
import torch
from torch import nn

def build():
    torch.manual_seed(3)
    blocks = [nn.Sequential(nn.Conv2d(c, 4, 3, padding=1), nn.ReLU()) for c in (3, 4, 4)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
"""


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Return the flags of an own network, and a folder of photographs."""
    monkeypatch.setattr(finding, "statistics_folder", lambda: tmp_path / "cache")
    (tmp_path / "net.py").write_text(NETWORK)
    photos = tmp_path / "photos"
    photos.mkdir()
    draws = np.random.default_rng(0)
    for number in range(16):
        picture = Image.fromarray(draws.integers(0, 256, (5, 6, 3), dtype=np.uint8))
        picture.resize((90, 75), Image.Resampling.BICUBIC).save(photos / f"{number}.png")
    flags = ["--network", f"{tmp_path / 'net.py'}:build", "--input-size", "3x64x64"]
    return [*flags, "--mean", ".5,.5,.5", "--std", ".2,.2,.2"], photos


def test_the_command_writes_what_sessions_find(own, tmp_path, capsys):
    flags, photos = own
    assert main(["train", "statistics", *flags, "--data", str(photos), "--seed", "4"]) == 0
    (kept,) = (tmp_path / "cache").iterdir()
    assert str(kept) in capsys.readouterr().out
    out = tmp_path / "out"
    again = [*flags, "--data", str(photos), "--seed", "4", "--out", str(out)]
    assert main(["train", "statistics", *again]) == 0
    (file,) = out.glob("*.safetensors")
    assert file.read_bytes() == kept.read_bytes()
    card = file.with_suffix(".md").read_text()
    assert hashlib.sha256(kept.read_bytes()).hexdigest() in card
    assert "16 photographs of photos" in card and "--seed 4" in card


def test_render_measures_once_where_photographs_are_given(own, tmp_path, capsys):
    flags, photos = own
    run = ["render", *flags, "--steps", "2", "--chains", "1", "--device", "cpu"]
    run += ["--out", str(tmp_path / "pictures"), "--photo-statistics", "0.3"]
    assert main(run) == 0
    assert "Photo statistics have no effect" in capsys.readouterr().out
    assert main([*run, "--data", str(photos)]) == 0
    assert "no effect" not in capsys.readouterr().out
    (kept,) = (tmp_path / "cache").iterdir()
    written = kept.stat().st_mtime_ns
    assert main([*run, "--data", str(photos)]) == 0
    assert kept.stat().st_mtime_ns == written
    (picture, *_) = (tmp_path / "pictures").glob("*.png")
    assert main(["replay", str(picture), "--allow-code"]) == 0
    assert "identical" in capsys.readouterr().out


def test_wrong_photographs_are_one_sentence(own, tmp_path, capsys):
    flags, _ = own
    assert main(["train", "statistics", *flags, "--data", str(tmp_path / "none.zip")]) == 2
    assert "cannot be read" in capsys.readouterr().err
