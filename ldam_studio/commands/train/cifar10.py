"""``ldam-studio train cifar10``: train a VGG on CIFAR-10 and average its parameters."""

from __future__ import annotations

import argparse
import math
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import torch

from ldam_studio.commands.shared.flags import MOST_THREADS, whole_number
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.flags import CIFAR10, add_epochs, add_training, stopped
from ldam_studio.engine.compute.device import PRECISIONS
from ldam_studio.engine.tuning import computes_in_bfloat16
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.models.vgg import Vgg
from ldam_studio.networks.weights.weights import not_finite
from ldam_studio.training import artifact, classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.images import LabelledImages
from ldam_studio.training.kept import RUN_FILE, KeptRun
from ldam_studio.training.resume import kept_recipe

TRIED_STEPS = 2
"""Number of steps that are timed in each precision before a training."""

WORTHWHILE = 0.9
"""bfloat16 is used if it reduces the time below this share."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_training(parser, "out/cifar10", data=CIFAR10)
    add_epochs(parser, recipes.VGG_RECIPE.epochs)
    parser.add_argument(
        "--threads",
        type=whole_number("--threads", 1, MOST_THREADS),
        default=1,
        metavar="N",
        help="number of processor threads; default 1",
    )
    parser.add_argument(
        "--precision",
        default="auto",
        choices=PRECISIONS,
        help="precision of the products; auto uses bfloat16 if the processor is faster with it",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights, epochs and cards, print the accuracies; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, a file cannot be written, or
        there is no run to resume.
    """
    torch.set_num_threads(args.threads)
    train, test = (load_cifar10(args.data, part, args.download) for part in ("train", "test"))
    check_folder(args.out)
    recipe = recipes.VGG_RECIPE.with_epochs(args.epochs)
    file = args.out / RUN_FILE
    if args.precision == "auto":
        half = kept_recipe(file)["bfloat16"] if args.resume else _faster_in_bfloat16(recipe, train)
        args.precision = "bfloat16" if half else "float32"
    recipe = replace(recipe, bfloat16=args.precision == "bfloat16")
    state = classifier.start(Vgg, recipe, args.seed)
    kept = KeptRun(file, recipe, seed=args.seed, threads=args.threads)
    if args.resume:
        kept.load(state)
    try:
        _train(state, recipe, train, test, args, kept)
    except KeyboardInterrupt:
        print(stopped(kept))
        return INTERRUPTED
    _finish(state, recipe, train, test, args, kept.total())
    return 0


class _Enough(Exception):
    """Raised to stop after enough timed steps."""


def _faster_in_bfloat16(recipe: recipes.ClassifierRecipe, images: LabelledImages) -> bool:
    """Return whether the processor supports bfloat16 and is clearly faster with it."""
    if not computes_in_bfloat16("cpu"):
        return False
    whole, half = (_seconds(replace(recipe, bfloat16=on), images) for on in (False, True))
    return half < WORTHWHILE * whole


def _seconds(recipe: recipes.ClassifierRecipe, images: LabelledImages) -> float:
    """Return the time of a step in seconds, the shortest of `TRIED_STEPS`."""
    times: list[float] = []

    def on_step(_run: classifier.ClassifierRun) -> None:
        times.append(time.perf_counter())
        if len(times) > TRIED_STEPS:
            raise _Enough

    with suppress(_Enough):
        deque(classifier.train(classifier.start(Vgg, recipe, 0), recipe, images, on_step), maxlen=0)
    return min((after - before for before, after in pairwise(times)), default=0.0)


def _train(
    state: classifier.ClassifierRun,
    recipe: recipes.ClassifierRecipe,
    train: LabelledImages,
    test: LabelledImages,
    args: argparse.Namespace,
    kept: KeptRun,
) -> None:
    total = len(train) // recipe.batch * recipe.epochs
    with TrainingBar("VGG") as bar:

        def on_step(run: classifier.ClassifierRun) -> None:
            _check(math.isfinite(run.losses), run.epoch + 1)
            bar.step(run.step, total)

        for epoch in classifier.train(state, recipe, train, on_step):
            _check(not_finite(epoch.module.state_dict()) is None, epoch.epoch)
            outputs = classifier.predict(epoch.module, test, recipe)
            share = classifier.accuracy(outputs, test.labels)
            bar.epoch(f"epoch {epoch.epoch}: loss {epoch.loss:.3f}, test {share:.2%}")
            artifact.save_weights(
                epoch.module.state_dict(),
                args.out / "epochs" / f"vgg-{epoch.epoch:02d}.safetensors",
                f"VGG on CIFAR-10, seed {args.seed}, after epoch {epoch.epoch}",
            )
            kept.save(state)


def _check(finite: bool, epoch: int) -> None:
    if not finite:
        raise StudioError(
            f"The training diverged in epoch {epoch}: its loss or weights are infinite or NaN; "
            "start it with another --seed, or with --precision float32."
        )


def _finish(
    state: classifier.ClassifierRun,
    recipe: recipes.ClassifierRecipe,
    train: LabelledImages,
    test: LabelledImages,
    args: argparse.Namespace,
    seconds: float,
) -> None:
    averaged = Vgg()
    averaged.load_state_dict(state.average.state_dict())
    classifier.estimate_norms(averaged, train, recipe)
    modules = {"vgg": state.module, "vgg-averaged": averaged}
    measured = {
        name: classifier.accuracy(classifier.predict(module, test, recipe), test.labels)
        for name, module in modules.items()
    }
    print(f"base {measured['vgg']:.2%}, averaged parameters {measured['vgg-averaged']:.2%}")
    for name, module in modules.items():
        _write(args, name, module.state_dict(), recipe, measured, seconds)


def _write(
    args: argparse.Namespace,
    name: str,
    weights: Mapping[str, torch.Tensor],
    recipe: recipes.ClassifierRecipe,
    measured: Mapping[str, float],
    seconds: float,
) -> None:
    what = (
        f"the mean of its parameters over the steps of the last {recipe.average_epochs} epochs, "
        "batch norms estimated anew"
        if name.endswith("averaged")
        else "as the last epoch left it"
    )
    card = artifact.Card(
        file=f"{name}.safetensors",
        what=f"VGG with batch norm for CIFAR-10, {what}. Input: 32x32 RGB, (x - mean) / std by "
        "channel.",
        data="CIFAR-10 (Krizhevsky 2009), 50,000 training images; accuracy on the 10,000 test "
        "images",
        recipe=recipe.describe(),
        command=f"ldam-studio train cifar10 --seed {args.seed} --threads {args.threads} "
        f"--precision {args.precision}"
        + ("" if recipe.epochs == recipes.VGG_RECIPE.epochs else f" --epochs {recipe.epochs}"),
        seed=args.seed,
        seconds=seconds,
        measured={
            "**this file**": f"**{measured[name]:.2%}**",
            "last epoch": f"{measured['vgg']:.2%}",
            "averaged parameters": f"{measured['vgg-averaged']:.2%}",
        },
        threads=args.threads,
        licence=artifact.CIFAR_LICENCE,
    )
    card.write_with(weights, args.out, f"VGG on CIFAR-10, {what}")
