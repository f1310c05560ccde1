"""CIFAR-10: its files, what is done to its images, and a run that goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ldam_studio import files
from ldam_studio.errors import StudioError
from ldam_studio.networks.models.vgg import Vgg
from ldam_studio.training import cifar10, classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.cifar10 import BINARY, load_cifar10
from ldam_studio.training.images import LabelledImages, flipped, shifted
from ldam_studio.training.resume import load_run, save_run

RECIPE = replace(
    recipes.VGG_RECIPE,
    batch=10,
    epochs=3,
    average_epochs=2,
    schedule=((0.0, 0.1), (1.0, 0.1)),
)


def pictures(count: int = 24) -> LabelledImages:
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return LabelledImages(images, torch.arange(count) % 10)


def write_archive(path, **changed):
    arrays = {}
    for split in ("train", "test"):
        some = pictures()
        arrays[f"x_{split}"] = some.images.permute(0, 2, 3, 1).numpy()
        arrays[f"y_{split}"] = some.labels.numpy().astype(np.uint8)
    np.savez(path, **(arrays | changed))


def compressed_and_spoilt(path):
    np.savez_compressed(path, x_train=pictures().images.permute(0, 2, 3, 1).numpy())
    data = bytearray(path.read_bytes())
    data[2000:2100] = bytes(100)
    path.write_bytes(data)


def save_alone(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


class Fetched:
    """What torchvision gives after a download."""

    def __init__(self, folder, train, download):
        some = pictures()
        self.data, self.targets = some.images.permute(0, 2, 3, 1).numpy(), some.labels.tolist()


def test_a_download_that_is_broken_off_leaves_no_half_of_an_archive(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setenv("LDAM_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(cifar10, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr("torchvision.datasets.CIFAR10", Fetched)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_cifar10(None, "train", download=True)
    assert not list(tmp_path.iterdir())
    assert torch.equal(load_cifar10(None, "train", download=True).images, pictures().images)


def test_the_archive_and_the_binary_version_hold_the_same(tmp_path):
    write_archive(tmp_path / "cifar10.npz")
    binary = tmp_path / "binary" / BINARY
    binary.mkdir(parents=True)
    some = pictures()
    rows = np.concatenate(
        [some.labels.numpy().astype(np.uint8)[:, None], some.images.flatten(1).numpy()], axis=1
    )
    (binary / "test_batch.bin").write_bytes(rows.tobytes())
    for folder in (tmp_path, tmp_path / "binary"):
        found = load_cifar10(folder, "test")
        assert torch.equal(found.images, some.images)
        assert torch.equal(found.labels, some.labels)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), "was not found in"),
        (lambda path: path.write_bytes(b"no archive"), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "is damaged"),
        (lambda path: compressed_and_spoilt(path), "damaged .*; delete it, then .* --download"),
        (lambda path: save_alone(path), "is damaged"),
        (lambda path: write_archive(path, y_train=np.array(["a"] * 24)), "is damaged"),
        (lambda path: write_archive(path, x_train=np.zeros((24, 8, 8, 3), np.uint8)), "not hold"),
        (lambda path: write_archive(path, y_train=np.full(24, 10, np.uint8)), "labels above 9"),
        (lambda path: write_archive(path, y_train=np.zeros(3, np.uint8)), "does not hold"),
    ],
    ids=[
        "missing",
        "no archive",
        "cut short",
        "spoilt",
        "an array alone",
        "words for labels",
        "other images",
        "other labels",
        "too few labels",
    ],
)
def test_data_that_will_not_do_is_one_sentence(tmp_path, spoil, sentence):
    path = tmp_path / "cifar10.npz"
    write_archive(path)
    spoil(path)
    with pytest.raises(StudioError, match=sentence) as refused:
        load_cifar10(tmp_path, "train")
    assert "\n" not in str(refused.value)


def test_shifting_moves_each_image_as_a_whole():
    images = torch.arange(2 * 3 * 8 * 9).reshape(2, 3, 8, 9).float()
    moved = shifted(images, 2, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), mode="reflect")
    for image, before in zip(moved, padded, strict=True):
        windows = [before[:, y : y + 8, x : x + 9] for y in range(5) for x in range(5)]
        assert any(torch.equal(image, window) for window in windows)
    assert not torch.equal(moved, images)
    assert torch.equal(shifted(images, 0, torch.Generator()), images)


def test_flipping_mirrors_some():
    images = torch.rand(20, 1, 3, 4)
    mirrored = flipped(images, torch.Generator().manual_seed(0))
    same = [torch.equal(a, b) for a, b in zip(mirrored, images, strict=True)]
    turned = [torch.equal(a, b.flip(2)) for a, b in zip(mirrored, images, strict=True)]
    assert all(a != b for a, b in zip(same, turned, strict=True))
    assert 3 < sum(same) < 17


def test_a_run_that_was_stopped_ends_where_it_would_have_ended(tmp_path):
    whole = classifier.start(Vgg, RECIPE, 1)
    for _ in classifier.train(whole, RECIPE, pictures()):
        pass
    stopped = classifier.start(Vgg, RECIPE, 1)
    for run in classifier.train(stopped, RECIPE, pictures()):
        if run.epoch == 2:  # one epoch of two that are averaged is done
            save_run(run, RECIPE, tmp_path / "run.pt")
            break
    again = classifier.start(Vgg, RECIPE, 1)
    load_run(again, RECIPE, tmp_path / "run.pt")
    for _ in classifier.train(again, RECIPE, pictures()):
        pass
    for ours, theirs in (
        (again.module.state_dict(), whole.module.state_dict()),
        (again.average.state_dict(), whole.average.state_dict()),
    ):
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("spoil", ["missing", "cut", "foreign", "text", "code", "other recipe"])
def test_a_run_that_cannot_go_on_is_one_sentence(tmp_path, spoil):
    path, recipe = tmp_path / "run.pt", RECIPE
    run = classifier.start(Vgg, RECIPE, 1)
    save_run(run, RECIPE, path)
    if spoil == "missing":
        path.unlink()
    elif spoil == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif spoil == "foreign":
        torch.save({"hello": 1}, path)
    elif spoil == "text":
        path.write_text("nothing that torch has written")
    elif spoil == "code":
        torch.save({"recipe": RECIPE}, path)
    else:
        recipe = RECIPE.with_epochs(2)
    with pytest.raises(StudioError) as refused:
        load_run(run, recipe, path)
    assert "\n" not in str(refused.value) and "weights_only" not in str(refused.value)


def test_averaged_parameters_get_norms_of_their_own():
    module = Vgg()
    images = pictures()
    classifier.estimate_norms(module, images, RECIPE)
    assert not module.training
    inputs = (images.pixels() - torch.tensor(RECIPE.mean).reshape(1, 3, 1, 1)) / torch.tensor(
        RECIPE.std
    ).reshape(1, 3, 1, 1)
    expected = module.conv1_1(inputs).mean((0, 2, 3))
    torch.testing.assert_close(module.norm1_1.running_mean, expected, rtol=0.2, atol=0.02)
