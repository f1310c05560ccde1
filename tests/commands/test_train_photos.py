"""Training a discriminator of photographs: what is written, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from ldam_studio.analysis import photo_discriminator
from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import discriminator_jobs
from ldam_studio.commands.train import discriminator_recipes as recipes
from ldam_studio.engine.adversarial import rounds
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.training.photos import LEAST_PHOTOS

FACTORY = """
import torch
from torch import nn


def make(side=160):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 9, stride=8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    )
    colour = (0.5, 0.5, 0.5)
    module.pixels = {
        "channels": 3, "height": side, "width": side, "mean": colour, "std": colour, "rest": 0.5
    }
    return module


def small():
    return make(48)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "mine.py"
    path.write_text(FACTORY)
    return path


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for number in range(LEAST_PHOTOS):
        pixels = random.integers(0, 256, (120, 150, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def small_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(
        recipes.PHOTO_RECIPE, chains=6, batch=2, steps=2, learning_batch=2, learning_steps=1
    )
    monkeypatch.setattr(recipes, "PHOTO_RECIPE", recipe)
    monkeypatch.setattr(discriminator_jobs, "PHOTO_SNAPSHOT_ROUNDS", 2)
    for name, value in (("CHAINS", 1), ("STEPS", 2), ("REAL", 4), ("TIMED_STEPS", 1)):
        monkeypatch.setattr(photo_discriminator, name, value)


def flags_of(own: Path, photographs: Path, out: Path) -> list[str]:
    return [
        *("--network", f"{own}:make", "--data", str(photographs), "--side", "112"),
        *("--out", str(out), "--rounds", "3", "--seed", "4"),
    ]


def test_it_writes_what_can_be_opened_the_same_each_time(own, photographs, tmp_path, capsys):
    files = []
    for name in ("a", "b"):
        out = tmp_path / name
        flags = [*flags_of(own, photographs, out), "--chains-per-class", "0"]
        assert main(["train", "discriminator", *flags]) == 0
        files.append(out / "natural-discriminator.safetensors")
        snapshots = [p.name for p in (out / "rounds").iterdir()]
        assert snapshots == ["natural-discriminator-0002.safetensors"]
    first, again = (load_file(path) for path in files)
    assert all(bool((first[name] == again[name]).all()) for name in first)
    assert files[0].stat().st_size < 6 * 2**20
    model = open_discriminator("natural-discriminator", files[0])
    card = files[0].with_suffix(".md").read_text()
    assert model.sha256 in card
    for words in ("--side 112", "--seed 4", "--rounds 3", "3 rounds; 6 chains", "112x112 pixels"):
        assert words in card
    assert "of real images while learning" in capsys.readouterr().out


def test_it_is_measured_at_the_networks_own_size(own, photographs, tmp_path) -> None:
    assert main(["train", "discriminator", *flags_of(own, photographs, tmp_path)]) == 0
    card = (tmp_path / "natural-discriminator.md").read_text()
    assert "photograph: 4 photographs |" in card and "its step's time" in card
    for weight in ("0", "0.25", "0.5", "0.75"):
        assert f"1 fresh chains at weight {weight}, 2 steps" in card


def test_stopped_it_leaves_whole_snapshots(own, photographs, tmp_path, capsys, monkeypatch):
    learn, calls = rounds.learn_from_pool, []

    def stop_at_third(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return learn(*args)

    monkeypatch.setattr(rounds, "learn_from_pool", stop_at_third)
    flags = flags_of(own, photographs, tmp_path)
    assert main(["train", "discriminator", *flags]) == INTERRUPTED
    files = sorted(tmp_path.rglob("*.*"))
    assert [p.name for p in files] == ["natural-discriminator-0002.safetensors", "run.pt"]
    open_discriminator("natural-discriminator", files[0])
    assert "stopped; round 2 of 3 is the last that was saved" in capsys.readouterr().out


def test_weights_of_which_a_part_fits_are_taken_at_another_size_too(
    own, photographs, tmp_path, capsys
):
    state = open_network(f"{own}:make").module.state_dict()
    state.pop("3.bias")
    write_weights(tmp_path / "some.safetensors", state, {})
    flags = [*flags_of(own, photographs, own), "--weights", str(tmp_path / "some.safetensors")]
    assert main(["train", "discriminator", *flags]) == 2
    assert "3.bias" in capsys.readouterr().err
    # What is refused next is the place to write to, which is a file.
    assert main(["train", "discriminator", *flags, "--partial"]) == 2
    assert str(own) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--network OWN:make", "learns from photographs"),
        ("--network OWN:make --data NOWHERE", "NOWHERE cannot be read"),
        ("--network OWN:make --data PHOTOS --side 90", "--side must be at least 112"),
        ("--network OWN:small --data PHOTOS", "no discriminator for the images of"),
        ("--network lenet --side 112", "no --side"),
        ("--network lenet --data a --data b", "one --data folder"),
        ("--network OWN:make --data PHOTOS --rounds 0", "--rounds must lie between 1 and"),
    ],
)
def test_what_will_not_do_is_a_sentence(words, expected, own, photographs, tmp_path, capsys):
    words = words.replace("OWN", str(own)).replace("PHOTOS", str(photographs))
    assert main(["train", "discriminator", *words.split(), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
