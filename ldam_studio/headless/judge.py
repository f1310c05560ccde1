"""The judge of generated digits: where it comes from, and what it is asked.

Its weights are shipped; where they are not, they are taken from the cache, and where there are
none, trained and put there.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.headless.progress import progress
from ldam_studio.networks.judge import Judge
from ldam_studio.networks.lenet import normalise
from ldam_studio.networks.weights import load_into, read_saved
from ldam_studio.training import artifact, classifier
from ldam_studio.training.data import cache_folder, load_mnist

NAME = "judge.safetensors"
SEED = 4711
"""Far from the seeds that LeNets are trained with."""


def open_judge(data: Path | None = None, download: bool = False) -> nn.Module:
    """Return the judge, frozen; trained first where it is neither shipped nor in the cache.

    Parameters
    ----------
    data, download
        Where MNIST is for the training, see `ldam_studio.training.data.load_mnist`.

    Raises
    ------
    StudioError
        It must be trained and the data is missing, or its weights are damaged.
    """
    try:
        path = asset("models", NAME)
    except StudioError:
        path = cache_folder() / NAME
        if not path.is_file():
            train_judge(path.parent, SEED, data, download)
    state, _ = read_saved(path)
    module = Judge()
    load_into(module, state, path)
    return module.eval().requires_grad_(False)


def train_judge(
    folder: Path,
    seed: int,
    data: Path | None = None,
    download: bool = False,
    epochs: int = classifier.JUDGE_RECIPE.epochs,
) -> float:
    """Train a judge, write its weights and card into ``folder``, return its test accuracy.

    Raises
    ------
    StudioError
        The data is missing or damaged, or the folder cannot be written.
    """
    torch.set_num_threads(1)
    recipe = classifier.JUDGE_RECIPE.with_epochs(epochs)
    train, test = (load_mnist(data, part, download) for part in ("train", "test"))
    check_folder(folder)
    began = time.monotonic()
    state = classifier.start(Judge, recipe, seed)
    with progress() as bar:
        task = bar.add_task("judge", total=len(train) // recipe.batch * recipe.epochs)
        for epoch in classifier.train(state, recipe, train, lambda run: bar.advance(task)):
            bar.update(task, description=f"judge, epoch {epoch.epoch}: loss {epoch.loss:.4f}")
    accuracy = classifier.accuracy(classifier.predict(state.module, test), test.labels)
    about = "Judge of generated MNIST digits, all-convolutional"
    artifact.Card(
        file=NAME,
        what=(
            "All-convolutional classifier that judges whether a generated image shows the digit "
            "that was asked for. Input: 28x28 grey pixels, (x - .1307) / .3081."
        ),
        data="MNIST, 60,000 training images, no augmentation; accuracy on the 10,000 test images",
        recipe=recipe.describe(),
        command=f"ldam-studio train judge --seed {seed}"
        + ("" if recipe == classifier.JUDGE_RECIPE else f" --epochs {epochs}"),
        seed=seed,
        seconds=time.monotonic() - began,
        sha256=artifact.save_weights(state.module.state_dict(), folder / NAME, about),
        measured={"**this file**": f"**{accuracy:.2%}**"},
    ).write(folder)
    return accuracy


@torch.no_grad()
def verdicts(judge: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the class the judge sees in each of ``images`` ``(n, 1, 28, 28)``, pixel units."""
    return torch.cat([judge(normalise(part)).argmax(1) for part in images.split(500)])


def agreement(judge: nn.Module, images: torch.Tensor, asked: torch.Tensor) -> float:
    """Return the share of images in which the judge sees the class that was asked for."""
    return float((verdicts(judge, images) == asked).double().mean())
