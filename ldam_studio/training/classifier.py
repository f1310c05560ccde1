"""Training of small image classifiers, reproducible to the bit.

Everything random comes from the seed: the parameters' start from one stream, the order of the
images and what is done to them from another. Nothing is printed or written here; `train` yields
after each epoch and whoever drives it reports and saves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ldam_studio.errors import StudioError
from ldam_studio.networks.models import lenet, vgg
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.images import LabelledImages, flipped, shifted

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ClassifierRecipe:
    """How a classifier is trained.

    Attributes
    ----------
    optimiser
        ``"rmsprop"`` (with momentum), ``"adam"`` or ``"sgd"`` (with Nesterov's momentum).
    learning_rate
        The rate where the schedule is 1.
    schedule
        Factor on the learning rate, linear between the points (share of the run, factor).
    momentum
        RMSProp's momentum; Adam's first beta.
    smoothing
        Decay of the squared gradients: RMSProp's alpha, Adam's second beta.
    average_epochs
        The parameters are averaged over all steps of so many last epochs; 0 = not at all.
    label_smoothing
        Share of each label spread over all classes.
    shift, flip
        Images are moved by up to so many pixels, and mirrored, at random.
    bfloat16
        Products are taken in bfloat16; parameters, sums and batch norms stay float32.
    mean, std
        Of the pixels, by channel; the network's input is ``(x - mean) / std``.
    """

    optimiser: str
    learning_rate: float
    schedule: Points
    epochs: int = 10
    batch: int = 100
    momentum: float = 0.9
    smoothing: float = 0.99
    weight_decay: float = 0.0
    average_epochs: int = 5
    label_smoothing: float = 0.0
    shift: int = 0
    flip: bool = False
    bfloat16: bool = False
    mean: tuple[float, ...] = (lenet.MEAN,)
    std: tuple[float, ...] = (lenet.STD,)

    def with_epochs(self, epochs: int) -> ClassifierRecipe:
        """Return the recipe for another number of epochs, averaging over no more than those."""
        return replace(self, epochs=epochs, average_epochs=min(self.average_epochs, epochs))

    def describe(self) -> str:
        """Return the recipe in a sentence, for a model card."""
        names = {"rmsprop": "RMSProp", "adam": "AdamW", "sgd": "SGD, Nesterov"}
        counts_squares = self.optimiser != "sgd"
        squares = f"decay of the squared gradients {self.smoothing}, " if counts_squares else ""
        extras = [
            f"label smoothing {self.label_smoothing:g}" if self.label_smoothing else "",
            f"shifts of up to {self.shift} pixels" if self.shift else "",
            "mirrored at random" if self.flip else "",
            "products in bfloat16" if self.bfloat16 else "",
        ]
        points = ", ".join(f"{factor:g} at {share:.0%}" for share, factor in self.schedule)
        return (
            f"{names[self.optimiser]}, momentum {self.momentum}, {squares}"
            f"weight decay {self.weight_decay:g}, learning rate {self.learning_rate:g} times "
            f"{points} of the run, linear between; {self.epochs} epochs, batches of {self.batch}"
            + "".join(f"; {extra}" for extra in extras if extra)
        )


LENET_RECIPE = ClassifierRecipe(
    optimiser="rmsprop",
    learning_rate=5e-4,
    schedule=((0.0, 0.05), (0.03, 1.0), (0.5, 0.3), (1.0, 0.3)),
    weight_decay=1e-4,
)
"""RMSProp with momentum over ten epochs as in the paper; a constant rate while averaging."""

JUDGE_RECIPE = ClassifierRecipe(
    optimiser="adam",
    learning_rate=3e-3,
    schedule=((0.0, 0.1), (0.2, 1.0), (1.0, 0.0)),
    epochs=5,
    batch=125,
    smoothing=0.99,
    weight_decay=1e-2,
    average_epochs=0,
)
"""AdamW in one cycle: another optimiser, batch and order than LeNet's."""

COLOUR_JUDGE_RECIPE = ClassifierRecipe(
    optimiser="adam",
    learning_rate=4e-3,
    schedule=((0.0, 0.1), (0.25, 1.0), (1.0, 0.0)),
    epochs=10,
    batch=125,
    weight_decay=2e-2,
    average_epochs=0,
    shift=3,
    flip=True,
    mean=vgg.MEAN,
    std=vgg.STD,
)
"""AdamW in one cycle: another optimiser, batch and order than the VGG's."""

VGG_RECIPE = ClassifierRecipe(
    optimiser="sgd",
    learning_rate=0.2,
    schedule=((0.0, 0.1), (0.25, 1.0), (0.8, 0.1), (1.0, 0.005)),
    epochs=15,
    batch=250,
    weight_decay=5e-4,
    average_epochs=3,
    label_smoothing=0.1,
    shift=3,
    flip=True,
    mean=vgg.MEAN,
    std=vgg.STD,
)
"""SGD in one cycle; the parameters are averaged where its rate is low."""


@dataclass
class ClassifierRun:
    """Where a training run stands; `train` moves it on.

    Attributes
    ----------
    module
        The network, taking normalised images.
    average
        Mean of the parameters over the steps so far of the last ``average_epochs`` epochs.
    epoch, step, loss
        Epochs done, steps done, mean loss of the last epoch.
    done, losses, shuffle
        Of the epoch under way: steps done, the sum of their losses, and the state of `order` from
        which its images' order was drawn. With them a run goes on in the middle of an epoch.
    rate
        The learning rate that somebody has set by hand; None for the recipe's.
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

    Torch draws the parameters' start from its global generator and takes no other; its state is put
    back afterwards, so that nobody else's draws move.
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
    """Train epoch by epoch, from where the run stands.

    Parameters
    ----------
    run
        From `start`; changed in place.
    images
        Training images; a last incomplete batch of an epoch is dropped.
    on_step
        Called after each step, for progress; an exception out of it ends the training.

    Yields
    ------
    ClassifierRun
        ``run``, after each epoch, in evaluation mode.

    Raises
    ------
    StudioError
        There are fewer images than one batch.
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
    """Return the order of the images in the epoch under way."""
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
    """Return the logits ``(n, classes)`` of ``images``, the module in evaluation mode."""
    module.eval()
    parts = torch.arange(len(images)).split(batch)
    return torch.cat([module(_normalised(images.pixels(part), recipe)) for part in parts])


@torch.no_grad()
def estimate_norms(
    module: nn.Module, images: LabelledImages, recipe: ClassifierRecipe, batches: int = 80
) -> None:
    """Estimate a module's batch norms anew, over so many batches; for averaged parameters.

    The statistics that were averaged along with them are those of other networks (Izmailov et al.
    2018, section 3.2).
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
    """Return network input, varied as the recipe asks."""
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
