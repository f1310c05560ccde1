"""The judges of generated images: where they come from, and what they are asked.

Their weights are shipped; where they are not, they are taken from the cache, and where there are
none, trained and put there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.assets import asset
from ldam_studio.commands.shared.progress import progress
from ldam_studio.commands.train.kept import RUN_FILE, KeptRun
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.models.judges import ColourJudge, DigitJudge, Judge
from ldam_studio.networks.weights.weights import load_into, read_saved
from ldam_studio.training import artifact, classifier
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import cache_folder, load_mnist
from ldam_studio.training.images import LabelledImages

SEED = 4711
"""Far from the seeds that the networks are trained with."""


@dataclass(frozen=True)
class Bench:
    """The judge of one kind of images, and how it is trained.

    Attributes
    ----------
    name
        Of its weights.
    build
        Makes the module.
    recipe
        How it is trained.
    load
        Reads a split of its data, see `ldam_studio.training.data.load_mnist`.
    about, what, data, licence
        For the file and its card.
    """

    name: str
    build: Callable[[], Judge]
    recipe: classifier.ClassifierRecipe
    load: Callable[[Path | None, str, bool], LabelledImages]
    about: str
    what: str
    data: str
    licence: str = artifact.MNIST_LICENCE

    @property
    def file(self) -> str:
        """Name of the file of its weights."""
        return f"{self.name}.safetensors"


DIGITS = Bench(
    name="judge",
    build=DigitJudge,
    recipe=classifier.JUDGE_RECIPE,
    load=load_mnist,
    about="Judge of generated MNIST digits, all-convolutional",
    what="All-convolutional classifier that judges whether a generated image shows the digit that "
    "was asked for. Input: 28x28 grey pixels, (x - .1307) / .3081.",
    data="MNIST, 60,000 training images, no augmentation; accuracy on the 10,000 test images",
)
COLOUR = Bench(
    name="cifar10-judge",
    build=ColourJudge,
    recipe=classifier.COLOUR_JUDGE_RECIPE,
    load=load_cifar10,
    about="Judge of generated CIFAR-10 images, residual",
    what="Small residual network that judges whether a generated image shows the class that was "
    "asked for. Input: 32x32 RGB, (x - mean) / std by channel, as the VGG's.",
    data="CIFAR-10 (Krizhevsky 2009), 50,000 training images; accuracy on the 10,000 test images",
    licence=artifact.CIFAR_LICENCE,
)
BENCHES = {"mnist": DIGITS, "cifar10": COLOUR}
"""By the data that they judge."""


def open_judge(data: Path | None = None, download: bool = False, bench: Bench = DIGITS) -> Judge:
    """Return a judge, frozen; trained first where it is neither shipped nor in the cache.

    Parameters
    ----------
    data, download
        Where its data is for the training, see `ldam_studio.training.data.load_mnist`.

    Raises
    ------
    StudioError
        It must be trained and the data is missing, or its weights are damaged.
    """
    try:
        path = asset("models", bench.file)
    except StudioError:
        path = cache_folder() / bench.file
        if not path.is_file():
            kept = KeptRun(path.parent / f"{bench.name}-{RUN_FILE}", bench.recipe, seed=SEED)
            train_judge(bench, kept, bench.recipe, SEED, data, download)
            kept.path.unlink(missing_ok=True)
    state, _ = read_saved(path)
    module = bench.build()
    load_into(module, state, path)
    return module.eval().requires_grad_(False)


def train_judge(
    bench: Bench,
    kept: KeptRun,
    recipe: classifier.ClassifierRecipe,
    seed: int,
    data: Path | None = None,
    download: bool = False,
    *,
    resume: bool = False,
) -> float:
    """Train a judge, write its weights and card beside the `kept` run, return its test accuracy.

    Raises
    ------
    StudioError
        The data is missing or damaged, the folder cannot be written, or there is no run to resume.
    """
    torch.set_num_threads(1)
    train, test = (bench.load(data, part, download) for part in ("train", "test"))
    folder = kept.path.parent
    check_folder(folder)
    state = classifier.start(bench.build, recipe, seed)
    if resume:
        kept.load(state)
    with progress() as bar:
        total = len(train) // recipe.batch * recipe.epochs
        task = bar.add_task("judge", total=total, completed=state.step)
        for epoch in classifier.train(state, recipe, train, lambda run: bar.advance(task)):
            words = f"judge, epoch {epoch.epoch}: loss {epoch.loss:.4f}"
            bar.update(task, description=words)
            if bar.disable:
                print(words, flush=True)
            kept.save(state)
    accuracy = classifier.accuracy(classifier.predict(state.module, test, recipe), test.labels)
    command = f"ldam-studio train judge --of {_key(bench)} --seed {seed}"
    artifact.Card(
        file=bench.file,
        what=bench.what,
        data=bench.data,
        recipe=recipe.describe(),
        command=command + ("" if recipe == bench.recipe else f" --epochs {recipe.epochs}"),
        seed=seed,
        seconds=kept.total(),
        sha256=artifact.save_weights(state.module.state_dict(), folder / bench.file, bench.about),
        measured={"**this file**": f"**{accuracy:.2%}**"},
        licence=bench.licence,
    ).write(folder)
    return accuracy


def _key(bench: Bench) -> str:
    return next(key for key, each in BENCHES.items() if each.name == bench.name)


@torch.no_grad()
def verdicts(judge: Judge, images: torch.Tensor) -> torch.Tensor:
    """Return the class the judge sees in each of ``images`` ``(n, C, H, W)``, pixel units."""
    return torch.cat([judge(judge.normalise(part)).argmax(1) for part in images.split(500)])


@torch.no_grad()
def features(judge: Judge, images: torch.Tensor) -> torch.Tensor:
    """Return what the judge's last layer sees of ``images``: ``(n, features)``."""
    return torch.cat([judge.features(judge.normalise(part)) for part in images.split(500)])


def agreement(judge: Judge, images: torch.Tensor, asked: torch.Tensor) -> float:
    """Return the share of images in which the judge sees the class that was asked for."""
    return float((verdicts(judge, images) == asked).double().mean())
