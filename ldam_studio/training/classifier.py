"""Training of small image classifiers, reproducible to the bit.

All random numbers come from the seed: one stream for the initial parameters, another for the order
of the images and their augmentation. Nothing is printed or written here; `train` yields after each
epoch, and its caller reports and saves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ldam_studio.errors import StudioError
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.classifier_recipes import LENET_RECIPE, ClassifierRecipe
from ldam_studio.training.images import LabelledImages, flipped, shifted


@dataclass
class ClassifierRun:
    """The state of a training run; `train` continues it.

    Attributes
    ----------
    module
        The network, taking normalised images.
    optimiser
        The optimiser of its parameters.
    order
        The generator for the images' order and augmentation.
    average
        Mean of the parameters over all steps so far in the last ``average_epochs`` epochs.
    epoch, step, loss
        Number of finished epochs, number of steps, mean loss of the last epoch.
    done, losses, shuffle
        For the current epoch: number of steps, sum of their losses, and the state of `order` before
        the images' order was drawn. With these, a run can resume in the middle of an epoch.
    rate
        The learning rate if it was set by hand; None for the recipe's.
    """

    module: nn.Module
    optimiser: torch.optim.Optimizer
    order: torch.Generator
    average: ParameterAverage = field(default_factory=ParameterAverage)
    epoch: int = 0
    step: int = 0
    loss: float = float("nan")
    done: int = 0
    losses: float = 0.0
    shuffle: torch.Tensor | None = None
    rate: float | None = None


def start(make: Callable[[], nn.Module], recipe: ClassifierRecipe, seed: int) -> ClassifierRun:
    """Return a run before its first step.

    Torch can draw initial parameters only from its global generator. The generator's state is
    restored afterwards, so that other random numbers do not change.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = make()
    order = torch.Generator().manual_seed(seed + 1_000_003)
    return ClassifierRun(module, _optimiser(module, recipe), order)


def train(
    run: ClassifierRun,
    recipe: ClassifierRecipe,
    images: LabelledImages,
    on_step: Callable[[ClassifierRun], None] = lambda run: None,
) -> Iterator[ClassifierRun]:
    """Train epoch by epoch, starting from the run's state.

    Parameters
    ----------
    run
        From `start`; changed in place.
    images
        Training images; an incomplete last batch of an epoch is dropped.
    on_step
        Called after each step, for progress. An exception in it ends the training.

    Yields
    ------
    ClassifierRun
        ``run``, after each epoch, in evaluation mode.

    Raises
    ------
    StudioError
        If there are fewer images than one batch.
    """
    if len(images) < recipe.batch:
        raise StudioError(
            f"{len(images)} training images do not fill one batch of {recipe.batch}; give a larger "
            "set with --data."
        )
    steps = len(images) // recipe.batch
    total = steps * recipe.epochs
    where, factors = zip(*recipe.schedule, strict=True)
    while run.epoch < recipe.epochs:
        run.module.train()
        for batch in _shuffled(run, len(images)).split(recipe.batch)[run.done : steps]:
            rate = recipe.learning_rate * float(np.interp(run.step / total, where, factors))
            for group in run.optimiser.param_groups:
                group["lr"] = rate if run.rate is None else run.rate
            run.optimiser.zero_grad()
            inputs = _varied(images.pixels(batch), recipe, run.order)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
                outputs = run.module(inputs)
            loss = functional.cross_entropy(
                outputs.float(), images.labels[batch], label_smoothing=recipe.label_smoothing
            )
            loss.backward()
            run.optimiser.step()
            run.step, run.done = run.step + 1, run.done + 1
            run.losses += float(loss.detach())
            if run.epoch >= recipe.epochs - recipe.average_epochs:
                run.average.update(run.module)
            on_step(run)
        run.epoch += 1
        run.loss = run.losses / steps
        run.done, run.losses = 0, 0.0
        run.module.eval()
        yield run


def _shuffled(run: ClassifierRun, count: int) -> Tensor:
    """Return the order of the images in the current epoch."""
    if run.done == 0:
        run.shuffle = run.order.get_state()
        return torch.randperm(count, generator=run.order)
    assert run.shuffle is not None
    again = torch.Generator()
    again.set_state(run.shuffle)
    return torch.randperm(count, generator=again)


@torch.no_grad()
def predict(
    module: nn.Module,
    images: LabelledImages,
    recipe: ClassifierRecipe = LENET_RECIPE,
    batch: int = 1000,
) -> torch.Tensor:
    """Return the logits ``(n, classes)`` of ``images``, with the module in evaluation mode."""
    module.eval()
    parts = torch.arange(len(images)).split(batch)
    return torch.cat([module(_normalised(images.pixels(part), recipe)) for part in parts])


@torch.no_grad()
def estimate_norms(
    module: nn.Module, images: LabelledImages, recipe: ClassifierRecipe, batches: int = 80
) -> None:
    """Estimate a module's batch norm statistics over some batches, after parameters were averaged.

    The averaged statistics belong to the networks that were averaged, not to the network with the
    mean parameters (Izmailov et al. 2018, section 3.2).
    """
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    parts = order.split(recipe.batch)[:batches]
    loader = [_normalised(images.pixels(part), recipe) for part in parts]
    torch.optim.swa_utils.update_bn(loader, module)
    module.eval()


def accuracy(outputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of rows of logits or probabilities whose maximum is at the label."""
    return float((outputs.argmax(1) == labels).double().mean())


def _varied(pixels: Tensor, recipe: ClassifierRecipe, generator: torch.Generator) -> Tensor:
    """Return augmented network input."""
    if recipe.flip:
        pixels = flipped(pixels, generator)
    if recipe.shift:
        pixels = shifted(pixels, recipe.shift, generator)
    return _normalised(pixels, recipe)


def _normalised(pixels: Tensor, recipe: ClassifierRecipe) -> Tensor:
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (recipe.mean, recipe.std))
    return (pixels - mean) / std


def _optimiser(module: nn.Module, recipe: ClassifierRecipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(
            module.parameters(),
            recipe.learning_rate,
            alpha=recipe.smoothing,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
    if recipe.optimiser == "adam":
        return torch.optim.AdamW(
            module.parameters(),
            recipe.learning_rate,
            betas=(recipe.momentum, recipe.smoothing),
            weight_decay=recipe.weight_decay,
        )
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            module.parameters(),
            recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=True,
        )
    raise ValueError(f"no optimiser {recipe.optimiser!r}")
