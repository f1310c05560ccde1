"""How often judges recognise the class for which a picture was drawn, and how similar pictures are.

A judge is a network of another architecture with the same classes. Ties count as wrong, and so do
outputs that are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.analysis.digits import within_class_cosine
from ldam_studio.analysis.drawing import Method, batches_of, in_batches
from ldam_studio.analysis.intervals import Interval, wilson
from ldam_studio.analysis.sampling import OnStep
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

FIVE, AT_ONCE = 5, 10


@dataclass(frozen=True)
class Answers:
    """A judge's results for n pictures.

    Attributes
    ----------
    ranks
        Rank ``(n,)`` of each picture's class among the judge's guesses, 0 for the first.
    probability
        Probability ``(n,)`` that it gives to that class.
    features
        Its last features ``(n, d)`` before the classes, averaged over places.
    """

    ranks: Tensor
    probability: Tensor
    features: Tensor


@dataclass(frozen=True)
class Named:
    """Statistics of a judge's guesses for some pictures.

    Attributes
    ----------
    judge
        The judge's name.
    first, first_five
        Share of pictures whose class is its first guess, or among its first five.
    probability
        Mean probability that it gives to the intended class.
    likeness
        Mean cosine of its features between two pictures of a class; NaN if no class has two.
    ranks
        See `Answers`.
    """

    judge: str
    first: Interval
    first_five: Interval
    probability: float
    likeness: float
    ranks: tuple[int, ...]

    def json(self) -> dict[str, Any]:
        """Return the numbers in JSON's types."""
        return {
            "judge": self.judge,
            "top_1": self.first.json(),
            "top_5": self.first_five.json(),
            "probability": round(self.probability, 4),
            "feature_cosine": or_none(self.likeness),
            "ranks": list(self.ranks),
        }


@dataclass(frozen=True)
class Seen:
    """The results of all judges for some pictures.

    Attributes
    ----------
    frames
        The kind of pictures: "averaged", "last" or "real".
    named
        The results of each judge.
    likeness
        Mean cosine of the pixels between two pictures of a class, measured from the rest colour;
        NaN if no class has two.
    """

    frames: str
    named: tuple[Named, ...]
    likeness: float

    def json(self) -> dict[str, Any]:
        """Return the numbers in JSON's types."""
        return {
            "pixel_cosine": or_none(self.likeness),
            "judges": [named.json() for named in self.named],
        }


@dataclass(frozen=True)
class Row:
    """The pictures of one method.

    Attributes
    ----------
    name
        Name of the method.
    seconds
        Seconds per picture; None for photographs.
    steps, asked_seconds
        Number of steps, and the seconds per picture for which it was chosen; None if the number was
        given.
    seen
        The results for the averages and the last samples, if there are any.
    pictures
        The first run's pictures for each of `seen`, ``(classes, C, H, W)``.
    about
        Description of the method in JSON's types.
    """

    name: str
    seen: tuple[Seen, ...]
    pictures: tuple[Tensor, ...] = ()
    steps: int | None = None
    asked_seconds: float | None = None
    seconds: float | None = None
    about: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        """Return the numbers in JSON's types, without the pictures."""
        return {
            "name": self.name,
            **(self.about or {}),
            "steps": self.steps,
            "seconds_asked_for": self.asked_seconds,
            "seconds_per_picture": None if self.seconds is None else round(self.seconds, 4),
            **{seen.frames: seen.json() for seen in self.seen},
        }


def features_layer(judge: Network) -> str:
    """Return the last layer whose neurons are not the classes; the last of all if there is none."""
    classes = judge.class_layer.neurons
    others = [layer.name for layer in judge.layers if layer.neurons != classes]
    return others[-1] if others else judge.class_layer.name


@torch.no_grad()
def ask(judge: Network, images: Tensor, classes: Tensor) -> Answers:
    """Let the judge classify ``images`` ``(n, C, H, W)`` of ``classes`` ``(n,)``, in pixel units.

    Images of another size than the judge's are resized.
    """
    pixels = judge.pixels
    if images.shape[2:] != (pixels.height, pixels.width):
        images = functional.interpolate(
            images, (pixels.height, pixels.width), mode="bilinear", antialias=True
        )
    last, inner = judge.class_layer, judge.layer(features_layer(judge))
    outputs, features = [], []
    for part in images.split(AT_ONCE):
        outputs.append(judge.output(part, last.name).flatten(1).float())
        found = judge.output(part, inner.name).float().movedim(inner.axis + 1, 1)
        features.append(found.flatten(1) if found.ndim == 2 else found.flatten(2).mean(2))
    output = torch.cat(outputs)
    asked = output.gather(1, classes[:, None])
    return Answers(
        ranks=(~(output < asked)).sum(1) - 1,
        probability=output.softmax(1).gather(1, classes[:, None])[:, 0],
        features=torch.cat(features),
    )


def see(
    judges: Sequence[Network], frames: str, images: Tensor, classes: Tensor, rest: float
) -> Seen:
    """Let the judges name images, and measure how alike those of a class are."""
    named = []
    for judge in judges:
        answers = ask(judge, images, classes)
        named.append(
            Named(
                judge.name,
                wilson(answers.ranks < 1, classes),
                wilson(answers.ranks < FIVE, classes),
                float(answers.probability.mean()),
                within_class_cosine(answers.features, classes),
                tuple(answers.ranks.tolist()),
            )
        )
    return Seen(frames, tuple(named), within_class_cosine(images - rest, classes))


def measure(
    method: Method,
    judges: Sequence[Network],
    neurons: Sequence[Neuron],
    steps: int,
    seeds: Sequence[int],
    rest: float,
    asked_seconds: float | None = None,
    on_step: OnStep = lambda: None,
) -> Row:
    """Draw a picture of each neuron, once for each run, and let the judges name all of them.

    Parameters
    ----------
    seeds
        As many for each run as the pictures take batches, see `drawing.batches_of`.
    rest
        The colour from which the cosines of pixels are taken.
    asked_seconds
        Seconds per picture for which `steps` was chosen; shown in the table.
    """
    each = batches_of(neurons)
    runs = [
        in_batches(method, neurons, steps, seeds[first : first + each], on_step)
        for first in range(0, len(seeds), each)
    ]
    classes = torch.tensor([neuron.index for neuron in neurons]).repeat(len(runs))
    averaged = [run.averaged for run in runs if run.averaged is not None]
    seen, pictures = [], []
    for frames, images in (("averaged", averaged), ("last", [run.last for run in runs])):
        if images:
            seen.append(see(judges, frames, torch.cat(images), classes, rest))
            pictures.append(images[0])
    seconds = sum(run.seconds for run in runs) / len(classes)
    return Row(
        method.name, tuple(seen), tuple(pictures), steps, asked_seconds, seconds, method.json()
    )


def or_none(value: float) -> float | None:
    """Return the number with four decimals; None for NaN."""
    return round(value, 4) if value == value else None
