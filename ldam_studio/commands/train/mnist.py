"""``ldam-studio train mnist``: trains LeNet-5 and averages its parameters, as the paper does."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.commands.shared.flags import whole_number
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.flags import MNIST, add_epochs, add_training, stopped
from ldam_studio.files import check_folder
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.training import artifact, classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.averaging import PredictionAverage
from ldam_studio.training.data import Digits, load_mnist
from ldam_studio.training.kept import RUN_FILE, KeptRun


@dataclass(frozen=True)
class Accuracies:
    """Shares of correctly classified test images: after the last epoch, and for both averages."""

    base: float
    parameters: float
    predictions: float

    def __str__(self) -> str:
        return (
            f"base {self.base:.2%}, averaged parameters {self.parameters:.2%}, "
            f"averaged predictions {self.predictions:.2%}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_training(parser, "out/mnist", data=MNIST, fetched="MNIST")
    parser.add_argument(
        "--seeds",
        type=whole_number("--seeds", 1, 1000),
        default=1,
        metavar="N",
        help="number of runs, with successive seeds; default 1",
    )
    add_epochs(parser, recipes.LENET_RECIPE.epochs)


def run(args: argparse.Namespace) -> int:
    """Train, write weights, snapshots and cards, print the accuracies; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    # On a network this small, more threads take longer, and they change the last bits.
    torch.set_num_threads(1)
    train, test = (load_mnist(args.data, part, args.download) for part in ("train", "test"))
    check_folder(args.out)
    recipe = recipes.LENET_RECIPE.with_epochs(args.epochs)
    results = []
    for number in range(args.seeds):
        seed = args.seed + number
        folder = args.out if number == 0 else args.out / f"seed-{seed}"
        kept = KeptRun(folder / RUN_FILE, recipe, seed=seed)
        # When several runs are resumed, the later ones may not have started.
        resume = args.resume and (number == 0 or kept.path.is_file())
        try:
            result = _train_one(train, test, recipe, seed, folder, kept, resume=resume)
        except KeyboardInterrupt:
            print(f"seed {seed}: {stopped(kept)}")
            return INTERRUPTED
        results.append(result)
        print(f"seed {seed}: {result}", flush=True)
    if len(results) > 1:
        means = [
            sum(getattr(result, name) for result in results) / len(results)
            for name in ("base", "parameters", "predictions")
        ]
        print(f"mean of {len(results)}: {Accuracies(*means)}")
    return 0


def _train_one(
    train: Digits,
    test: Digits,
    recipe: recipes.ClassifierRecipe,
    seed: int,
    folder: Path,
    kept: KeptRun,
    *,
    resume: bool,
) -> Accuracies:
    state = classifier.start(LeNet5, recipe, seed)
    predictions = PredictionAverage()
    base = 0.0
    if resume:
        beside = kept.load(state)
        predictions.restore(beside["predictions"])
        base = beside["base"]
    total = len(train) // recipe.batch * recipe.epochs
    with TrainingBar("LeNet", prints=False) as bar:
        for epoch in classifier.train(state, recipe, train, lambda run: bar.step(run.step, total)):
            outputs = classifier.predict(epoch.module, test)
            base = classifier.accuracy(outputs, test.labels)
            if epoch.epoch > recipe.epochs - recipe.average_epochs:
                predictions.update(outputs)
            bar.epoch(f"epoch {epoch.epoch}: {base:.2%}")
            artifact.save_weights(
                epoch.module.state_dict(),
                folder / "epochs" / f"lenet-{epoch.epoch:02d}.safetensors",
                f"LeNet-5 on MNIST, seed {seed}, after epoch {epoch.epoch}",
            )
            kept.save(state, {"predictions": predictions.stored(), "base": base})
    averaged_module = LeNet5()
    averaged_module.load_state_dict(state.average.state_dict())
    result = Accuracies(
        base,
        classifier.accuracy(classifier.predict(averaged_module, test), test.labels),
        classifier.accuracy(predictions.probabilities(), test.labels),
    )
    seconds = kept.total()
    _write(folder, "lenet", state.module.state_dict(), recipe, seed, seconds, result)
    _write(folder, "lenet-averaged", averaged_module.state_dict(), recipe, seed, seconds, result)
    return result


def _write(
    folder: Path,
    name: str,
    weights: Mapping[str, torch.Tensor],
    recipe: recipes.ClassifierRecipe,
    seed: int,
    seconds: float,
    result: Accuracies,
) -> None:
    averaged = name.endswith("averaged")
    what = (
        f"the mean of its parameters over the steps of the last {recipe.average_epochs} epochs"
        if averaged
        else "as the last epoch left it"
    )
    card = artifact.Card(
        file=f"{name}.safetensors",
        what=f"LeNet-5 for MNIST's digits, {what}. Input: 28x28 grey pixels, (x - .1307) / .3081.",
        data="MNIST, 60,000 training images, no augmentation; accuracy on the 10,000 test images",
        recipe=recipe.describe(),
        command=f"ldam-studio train mnist --seed {seed}"
        + ("" if recipe.epochs == recipes.LENET_RECIPE.epochs else f" --epochs {recipe.epochs}"),
        seed=seed,
        seconds=seconds,
        measured={
            "**this file**": f"**{result.parameters if averaged else result.base:.2%}**",
            "last epoch": f"{result.base:.2%}",
            "averaged parameters": f"{result.parameters:.2%}",
            "averaged predictions of the last epochs": f"{result.predictions:.2%}",
        },
    )
    card.write_with(weights, folder, f"LeNet-5 on MNIST, {what}")
