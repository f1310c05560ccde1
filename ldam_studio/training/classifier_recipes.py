"""The recipes for training classifiers: LeNet, the VGG and the judges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ldam_studio.networks.models import lenet, vgg

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ClassifierRecipe:
    """The settings for training a classifier.

    Attributes
    ----------
    optimiser
        ``"rmsprop"`` (with momentum), ``"adam"`` or ``"sgd"`` (with Nesterov's momentum).
    learning_rate
        The learning rate where the schedule is 1.
    schedule
        Factor for the learning rate, linear between the points (share of the run, factor).
    momentum
        Momentum of RMSProp or SGD; Adam's first beta.
    smoothing
        Decay of the squared gradients: RMSProp's alpha, Adam's second beta.
    average_epochs
        Number of last epochs over whose steps the parameters are averaged; 0 for no averaging.
    label_smoothing
        Share of each label that is spread over all classes.
    shift, flip
        Largest random shift of an image in pixels; whether images are mirrored at random.
    bfloat16
        Whether products are computed in bfloat16; parameters, sums and batch norms stay float32.
    mean, std
        Mean and standard deviation of the pixels, by channel; the network's input is ``(x - mean) /
        std``.
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
        """Return the recipe for another number of epochs; it averages over at most that many."""
        return replace(self, epochs=epochs, average_epochs=min(self.average_epochs, epochs))

    def describe(self) -> str:
        """Return the recipe as one sentence for a model card."""
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
"""AdamW in one cycle: optimiser, batch size and order differ from LeNet's."""

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
"""AdamW in one cycle: optimiser, batch size and order differ from the VGG's."""

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
"""SGD in one cycle; the parameters are averaged while the learning rate is low."""
