"""The denoiser: what its architecture promises, its training, and what the command writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import denoiser as command
from ldam_studio.commands.train import denoiser_kinds
from ldam_studio.commands.train.denoiser_kinds import KINDS
from ldam_studio.networks.models import denoiser as architecture
from ldam_studio.networks.models.denoiser import GREY, SPREAD, Denoiser
from ldam_studio.training import denoiser, denoiser_images
from ldam_studio.training.denoiser import DenoiserRecipe
from ldam_studio.training.photos import LEAST_PHOTOS, find_photos
from thinned import one_in

TINY = DenoiserRecipe(rounds=2, round_steps=2, batch=1, warm_up=1, decay=2, window=2)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one colour each, as no other data is so quickly learned."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for number in range(LEAST_PHOTOS):
        pixels = np.broadcast_to(random.integers(0, 256, 3, np.uint8), (48, 60, 3))
        Image.fromarray(pixels.copy()).save(folder / f"{number:02}.png")
    return folder


def untrained() -> Denoiser:
    return denoiser.start(TINY, 0).module.eval()


def test_before_training_it_is_the_best_linear_denoiser():
    noisy, noise = torch.rand(2, 3, 32, 32), torch.tensor([0.1, 0.4])
    kept = SPREAD**2 / (SPREAD**2 + noise.square()).view(-1, 1, 1, 1)
    expected = GREY + kept * (noisy - GREY)
    with torch.no_grad():
        torch.testing.assert_close(untrained()(noisy, noise), expected)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 50), (56, 57)])
def test_it_takes_images_of_any_size(size):
    with torch.no_grad():
        found = untrained()(torch.rand(2, 3, *size), torch.tensor([0.1, 0.2]))
    assert found.shape == (2, 3, *size) and bool(found.isfinite().all())


def test_some_photographs_are_kept_back(photographs):
    photos = find_photos(photographs)
    trained, kept_back = denoiser_images.parted(photos)
    assert len(kept_back) == 1 and set(trained.names) | set(kept_back.names) == set(photos.names)
    assert len(trained) == len(photos) - 1
    # A multiple of 16 up to three quarters of 48.
    assert denoiser_images.crops_of(trained).side == 32


@pytest.mark.thorough
def test_it_learns_to_remove_noise(photographs):
    recipe = replace(TINY, rounds=1, round_steps=30, rate=2e-3, warm_up=5, decay=10, window=10)
    training = denoiser.start(recipe, 0)
    for _ in denoiser.train(training, recipe, [denoiser_images.crops_of(find_photos(photographs))]):
        pass
    clean = torch.full((2, 3, 32, 32), 0.3)
    before, after = (denoiser.errors(m, clean, 1) for m in (untrained(), training.module))
    assert all(after[level] < before[level] for level in (0.2, 0.4, 0.6))


def test_the_rate_rises_stays_and_falls():
    recipe = DenoiserRecipe(rounds=10, round_steps=10, rate=1.0, warm_up=20, decay=40)
    rates = [recipe.rate_at(step) for step in (0, 19, 59, 80, 99)]
    assert rates[0] == 0.05 and rates[1:3] == [1.0, 1.0]
    assert rates[3] == pytest.approx(0.5) and 0 < rates[4] < 0.01


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a denoiser with all its levels, but few channels, on few crops."""
    monkeypatch.setattr(architecture, "WIDTHS", (8, 12, 16, 20))
    for images, kind in KINDS.items():
        monkeypatch.setitem(KINDS, images, replace(kind, recipe=TINY))
    monkeypatch.setattr(denoiser_kinds, "MEASURED_CROPS", 2)


def train(photographs: Path, out: Path, *flags: str) -> int:
    return main(["train", "denoiser", "--data", str(photographs), "--out", str(out), *flags])


def test_the_command_writes_weights_and_card_the_same_each_time(tiny, photographs, tmp_path):
    for name in ("a", "b"):
        assert train(photographs, tmp_path / name, "--seed", "4") == 0
    one, other = (load_file(tmp_path / name / "denoiser.safetensors") for name in ("a", "b"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    module = Denoiser()
    module.load_state_dict(one)
    card = (tmp_path / "a" / "denoiser.md").read_text()
    for words in ("at noise 0.02", "at noise 0.6", "--seed 4", "4 steps of Adam"):
        assert words in card


@pytest.mark.parametrize("rounds", one_in(2, ["3", "4"]))
def test_resumed_it_ends_as_it_would_have(tiny, photographs, tmp_path, monkeypatch, capsys, rounds):
    """Also with another number of rounds, if it was stopped before the rate fell."""
    assert train(photographs, tmp_path / "whole", "--rounds", rounds) == 0
    save, calls = command._KeptTraining.save, []

    def stop_after_second(self, training):
        save(self, training)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(command._KeptTraining, "save", stop_after_second)
    assert train(photographs, tmp_path / "parts", "--rounds", "3") == INTERRUPTED
    assert "round 2 of 3 is the last that was saved" in capsys.readouterr().out
    assert train(photographs, tmp_path / "parts", "--rounds", rounds, "--resume") == 0
    one, other = (load_file(tmp_path / n / "denoiser.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_will_not_do_is_a_sentence(tiny, photographs, tmp_path, capsys):
    assert main(["train", "denoiser", "--out", str(tmp_path)]) == 2
    assert "learns from photographs" in capsys.readouterr().err
    assert train(tmp_path / "nowhere", tmp_path) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert train(photographs, tmp_path / "a") == 0
    assert train(photographs, tmp_path / "a", "--rounds", "5", "--resume") == 2
    assert "other settings" in capsys.readouterr().err
    cifar = ["train", "denoiser", "--images", "cifar10", "--out", str(tmp_path / "c")]
    assert main([*cifar, "--data", str(photographs)]) == 2
    assert "CIFAR-10 was not found" in capsys.readouterr().err
    assert main([*cifar, "--data", "a", "--data", "b"]) == 2
    assert "give --data once" in capsys.readouterr().err
    small = tmp_path / "small"
    small.mkdir()
    for number in range(LEAST_PHOTOS):
        Image.new("RGB", (20, 90)).save(small / f"{number}.png")
    assert train(small, tmp_path / "b") == 2
    assert "too small" in capsys.readouterr().err


@pytest.fixture
def cifar10(tmp_path: Path) -> Path:
    """A folder of CIFAR-10's archive with a few images of one colour each."""
    random, folder = np.random.default_rng(0), tmp_path / "data"
    folder.mkdir()
    content = {}
    for part, count in (("train", 20), ("test", 5)):
        colours = random.integers(0, 256, (count, 1, 1, 3), np.uint8)
        content[f"x_{part}"] = np.broadcast_to(colours, (count, 32, 32, 3))
        content[f"y_{part}"] = np.arange(count, dtype=np.uint8) % 10
    np.savez(folder / "cifar10.npz", **content)
    return folder


def test_it_learns_from_cifar_10_too(tiny, cifar10, tmp_path, monkeypatch):
    flags = ["train", "denoiser", "--images", "cifar10", "--seed", "4", "--out"]
    monkeypatch.setenv("LDAM_DATA", str(cifar10))
    assert main([*flags, str(tmp_path / "found")]) == 0
    assert main([*flags, str(tmp_path / "named"), "--data", str(cifar10)]) == 0
    one, other = (
        load_file(tmp_path / name / "cifar10-denoiser.safetensors") for name in ("found", "named")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    Denoiser().load_state_dict(one)
    card = (tmp_path / "found" / "cifar10-denoiser.md").read_text()
    for words in ("20 training images", "at noise 0.6, 5 test images", "--images cifar10 --seed 4"):
        assert words in card


def test_whole_images_are_drawn_and_half_of_them_mirrored():
    image = torch.arange(3 * 4 * 4, dtype=torch.uint8).view(3, 4, 4)
    source = denoiser_images.WholeImages(image[None])
    drawn = source.draw(400, torch.Generator().manual_seed(0))
    mirrored = (drawn == image.flip(2)).flatten(1).all(1)
    assert bool(((drawn == image).flatten(1).all(1) | mirrored).all())
    assert 150 < int(mirrored.sum()) < 250


def test_a_step_sees_equally_many_pixels_of_images_of_any_size():
    recipe = DenoiserRecipe()
    assert [recipe.images_of(side) for side in (112, 56, 32)] == [4, 16, 49]
