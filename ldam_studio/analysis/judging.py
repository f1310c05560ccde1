"""The judges of generated images: training, opening and using them.

A judge is an independent classifier that says whether a generated image shows the intended class.
If a judge's weights do not ship with the program and are not in the cache, the judge is trained,
and its weights are put into the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import cache_folder, check_folder
from ldam_studio.networks.models.judges import ColourJudge, DigitJudge, Judge
from ldam_studio.networks.weights.weights import load_into, read_saved
from ldam_studio.training import artifact, classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import load_mnist
from ldam_studio.training.images import LabelledImages
from ldam_studio.training.kept import RUN_FILE, KeptRun
from ldam_studio.training.progress import TrainingProgress

UNSEEN = TrainingProgress()
"""Progress of a training that is not displayed."""

SEED = 4711
"""Seed of the judges' trainings; far from the seeds of the networks that they judge."""


@dataclass(frozen=True)
class JudgeKind:
    """The judge of one kind of images, and how it is trained.

    Attributes
    ----------
    key
        Name of the images that it judges, on the command line.
    name
        File name of its weights, without the suffix.
    build
        Makes the module.
    recipe
        How it is trained.
    load
        Reads a split of its data, see `ldam_studio.training.data.load_mnist`.
    about, what, data, licence
        Texts for the weights file and its model card.
    """

    key: str

    name: str
    build: Callable[[], Judge]
    recipe: recipes.ClassifierRecipe
    load: Callable[[Path | None, str, bool], LabelledImages]
    about: str
    what: str
    data: str
    licence: str = artifact.MNIST_LICENCE

    @property
    def file(self) -> str:
        """File name of its weights."""
        return f"{self.name}.safetensors"


DIGITS = JudgeKind(
    key="mnist",
    name="judge",
    build=DigitJudge,
    recipe=recipes.JUDGE_RECIPE,
    load=load_mnist,
    about="Judge of generated MNIST digits, all-convolutional",
    what="All-convolutional classifier that judges whether a generated image shows the digit that "
    "was asked for. Input: 28x28 grey pixels, (x - .1307) / .3081.",
    data="MNIST, 60,000 training images, no augmentation; accuracy on the 10,000 test images",
)
COLOUR = JudgeKind(
    key="cifar10",
    name="cifar10-judge",
    build=ColourJudge,
    recipe=recipes.COLOUR_JUDGE_RECIPE,
    load=load_cifar10,
    about="Judge of generated CIFAR-10 images, residual",
    what="Small residual network that judges whether a generated image shows the class that was "
    "asked for. Input: 32x32 RGB, (x - mean) / std by channel, as the VGG's.",
    data="CIFAR-10 (Krizhevsky 2009), 50,000 training images; accuracy on the 10,000 test images",
    licence=artifact.CIFAR_LICENCE,
)
KINDS = {kind.key: kind for kind in (DIGITS, COLOUR)}


def open_judge(
    data: Path | None = None,
    download: bool = False,
    kind: JudgeKind = DIGITS,
    progress: TrainingProgress = UNSEEN,
) -> Judge:
    """Return a judge, frozen; it is trained first if it is neither shipped nor in the cache.

    Parameters
    ----------
    data, download
        Where to find the training data, see `ldam_studio.training.data.load_mnist`.
    progress
        Receives the progress of the training.

    Raises
    ------
    StudioError
        If it must be trained and the data is missing, or its weights are damaged.
    """
    try:
        path = asset("models", kind.file)
    except StudioError:
        path = cache_folder() / kind.file
        if not path.is_file():
            kept = KeptRun(path.parent / f"{kind.name}-{RUN_FILE}", kind.recipe, seed=SEED)
            train_judge(kind, kept, kind.recipe, SEED, data, download, progress)
            kept.path.unlink(missing_ok=True)
    state, _ = read_saved(path)
    module = kind.build()
    load_into(module, state, path)
    return module.eval().requires_grad_(False)


def train_judge(
    kind: JudgeKind,
    kept: KeptRun,
    recipe: recipes.ClassifierRecipe,
    seed: int,
    data: Path | None = None,
    download: bool = False,
    progress: TrainingProgress = UNSEEN,
    *,
    resume: bool = False,
) -> float:
    """Train a judge, write its weights and card next to the `kept` run, return its test accuracy.

    Raises
    ------
    StudioError
        If the data is missing or damaged, the folder cannot be written, or there is no run to
        resume.
    """
    torch.set_num_threads(1)
    train, test = (kind.load(data, part, download) for part in ("train", "test"))
    folder = kept.path.parent
    check_folder(folder)
    state = classifier.start(kind.build, recipe, seed)
    if resume:
        kept.load(state)
    total = len(train) // recipe.batch * recipe.epochs
    for epoch in classifier.train(state, recipe, train, lambda run: progress.step(run.step, total)):
        progress.epoch(f"judge, epoch {epoch.epoch}: loss {epoch.loss:.4f}")
        kept.save(state)
    accuracy = classifier.accuracy(classifier.predict(state.module, test, recipe), test.labels)
    command = f"ldam-studio train judge --of {kind.key} --seed {seed}"
    card = artifact.Card(
        file=kind.file,
        what=kind.what,
        data=kind.data,
        recipe=recipe.describe(),
        command=command + ("" if recipe == kind.recipe else f" --epochs {recipe.epochs}"),
        seed=seed,
        seconds=kept.total(),
        measured={"**this file**": f"**{accuracy:.2%}**"},
        licence=kind.licence,
    )
    card.write_with(state.module.state_dict(), folder, kind.about)
    return accuracy


@torch.no_grad()
def verdicts(judge: Judge, images: torch.Tensor) -> torch.Tensor:
    """Return the class that the judge sees in each of ``images`` ``(n, C, H, W)``, pixel units."""
    return torch.cat([judge(judge.normalise(part)).argmax(1) for part in images.split(500)])


@torch.no_grad()
def features(judge: Judge, images: torch.Tensor) -> torch.Tensor:
    """Return the input of the judge's last layer for ``images``: ``(n, features)``."""
    return torch.cat([judge.features(judge.normalise(part)) for part in images.split(500)])


def agreement(judge: Judge, images: torch.Tensor, asked: torch.Tensor) -> float:
    """Return the share of images in which the judge sees the intended class."""
    return float((verdicts(judge, images) == asked).double().mean())
