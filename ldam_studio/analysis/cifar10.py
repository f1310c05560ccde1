"""Measures of generated CIFAR-10 images: a judge's agreement, and the distance to real images.

The numbers of ``paper fig7``, ``paper fig8`` and the discriminator's model card are computed here,
so that they agree for the same weights.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldam_studio.analysis.digits import within_class_cosine
from ldam_studio.analysis.former import FORMER_COLOUR
from ldam_studio.analysis.judging import agreement, features
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.models.judges import Judge
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.built_in import CIFAR_PIXELS
from ldam_studio.sampler.presets import CLOUDY, find_preset
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.cifar10 import load_cifar10

CLEAN = Settings.of(**CLOUDY, **find_preset("clean").values(CIFAR_PIXELS.shape, discriminator=True))
"""The preset Clean. Chains that start from white noise end in images that are too similar."""

WEIGHTS = (0.0, 0.25, 0.5, 0.75)

STEPS = 100
"""Number of steps from faint noise to a picture that no longer changes."""

WINDOW = 50
"""Each chain is averaged over its last `WINDOW` samples, or over all if there are fewer; a preset's
own averaging window gives later ones more weight."""


@dataclass(frozen=True)
class Yardstick:
    """A judge, and the statistics of real images with which generated ones are compared.

    Attributes
    ----------
    judge
        It differs from the network under study in architecture, seed and order of the images.
    mean, covariance
        Mean and covariance of its last features over the real test images, float64.
    pictures, labels
        Test images of each class, as many as there are chains, (n, 3, 32, 32) in pixel units, and
        their labels.
    distance
        Frechet distance of `pictures` to the other test images: the least that so few images can
        reach.
    """

    judge: Judge
    mean: Tensor
    covariance: Tensor
    pictures: Tensor
    labels: Tensor
    distance: float


@dataclass(frozen=True)
class Seen:
    """The judge's verdict on some images, and how similar those of a class are.

    Attributes
    ----------
    agreement, agreement_by_class
        Share of images in which the judge sees the intended class.
    distance
        Frechet distance of the judge's last features to those of real images.
    cosine
        Mean cosine between images of a class, measured from the rest colour.
    """

    agreement: float
    agreement_by_class: tuple[float, ...]
    distance: float
    cosine: float


@dataclass(frozen=True)
class Row:
    """Measures of new chains of all classes at one discriminator weight.

    Attributes
    ----------
    weight
        The discriminator weight.
    activation, real_probability
        For the last samples: mean activation of the class neuron, and the discriminator's mean
        probability that an image is real (None without a discriminator).
    raw, averaged
        Measures of the last samples, and of the averages over the last `WINDOW` samples.
    pictures
        The averages, (chains, 3, 32, 32), ordered by class.
    """

    weight: float
    activation: float
    real_probability: float | None
    raw: Seen
    averaged: Seen
    pictures: Tensor

    def json(self) -> dict[str, Any]:
        """Return the numbers in JSON's types."""
        return {
            "weight": self.weight,
            "activation": round(self.activation, 3),
            "real_probability": None
            if self.real_probability is None
            else round(self.real_probability, 4),
            "raw": rounded(asdict(self.raw)),
            "averaged": rounded(asdict(self.averaged)),
        }


def open_yardstick(
    judge: Judge, data: Path | None, download: bool, of_each_class: int
) -> Yardstick:
    """Compute the judge's statistics of the test images, and keep some images of each class.

    Raises
    ------
    StudioError
        If CIFAR-10 is missing or damaged.
    """
    test = load_cifar10(data, "test", download)
    labels = test.labels
    classes = labels.unique()
    each = min(of_each_class, len(test) // len(classes) // 2)  # leaves others to compare with
    first = torch.cat([(labels == c).nonzero()[:each, 0] for c in classes])
    others = torch.ones(len(test), dtype=torch.bool)
    others[first] = False
    parts = torch.arange(len(test)).split(500)
    seen = torch.cat([features(judge, test.pixels(part)) for part in parts]).double()
    pictures = test.pixels(first)
    mean, covariance = _moments(seen)
    distance = frechet(seen[first], *_moments(seen[others]))
    return Yardstick(judge, mean, covariance, pictures, labels[first], distance)


def see(yardstick: Yardstick, images: Tensor, classes: Tensor) -> Seen:
    """Measure images (n, 3, 32, 32) that were generated for ``classes`` (n,)."""
    judge = yardstick.judge
    return Seen(
        agreement=agreement(judge, images, classes),
        agreement_by_class=tuple(
            agreement(judge, images[classes == c], classes[classes == c]) for c in classes.unique()
        ),
        distance=frechet(features(judge, images).double(), yardstick.mean, yardstick.covariance),
        cosine=within_class_cosine(images - CIFAR_PIXELS.rest, classes),
    )


def frechet(seen: Tensor, mean: Tensor, covariance: Tensor) -> float:
    """Return the Frechet distance of features (n, d) to a Gaussian with this mean and covariance.

    It is ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Heusel et al. 2017), in float64. It is
    biased upwards for few images, whose covariance has a low rank.
    """
    own_mean, own = _moments(seen)
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    both = torch.linalg.eigvalsh(root @ own @ root).clamp_min(0).sqrt().sum()
    squared = (own_mean - mean).square().sum()
    return float(squared + own.trace() + covariance.trace() - 2 * both)


def sample(
    network: Network,
    discriminator: DiscriminatorModel | None,
    yardstick: Yardstick,
    weight: float,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
    settings: Settings = FORMER_COLOUR,
) -> Row:
    """Run new chains of all classes at a discriminator weight, and measure them at the end.

    Runs with equal seeds and steps have equal starts and noise, for any network and settings.
    """
    settings = averaging(settings, steps).change("discriminator_weight", weight)
    neurons = class_neurons(network, chains_per_class)
    spec = SessionSpec(network, neurons, settings, seed, discriminator, Device())
    lane = run_on(open_session(spec), steps, on_step).lane
    x, average, classes = lane.chains.x, lane.average.mean, lane.targets.units.indices
    with torch.no_grad():
        activation = float(lane.activation(x).mean())
        real_probability = (
            None if discriminator is None else float(discriminator.module(x).sigmoid().mean())
        )
    raw, averaged = see(yardstick, x, classes), see(yardstick, average, classes)
    return Row(weight, activation, real_probability, raw, averaged, average)


def averaging(settings: Settings, steps: int) -> Settings:
    """Return settings with the average and the schedule of a run of ``steps`` steps."""
    if settings.schedule:
        settings = settings.change("schedule", steps)
    burn_in = max(0, steps - WINDOW)
    # A fixed threshold avoids measuring one: burn-in does not matter here.
    return settings.change("burn_in", burn_in).change("threshold", 0.0)


def real_json(yardstick: Yardstick) -> dict[str, float]:
    """Return the measures of the same number of real images, in JSON's types."""
    pictures, labels = yardstick.pictures, yardstick.labels
    return {
        "agreement": round(agreement(yardstick.judge, pictures, labels), 4),
        "distance": round(yardstick.distance, 3),
        "cosine": round(within_class_cosine(pictures - CIFAR_PIXELS.rest, labels), 4),
    }


def head(
    discriminator: DiscriminatorModel,
    yardstick: Yardstick,
    chains_per_class: int,
    steps: int,
    seed: int,
) -> dict[str, Any]:
    """Return the values that all rows of a figure share, in JSON's types."""
    return {
        "discriminator": discriminator.reference,
        "seed": seed,
        "settings": asdict(FORMER_COLOUR),
        "steps": steps,
        "averaged_steps": min(steps, WINDOW),
        "chains_per_class": chains_per_class,
        "real": real_json(yardstick),
    }


def _moments(seen: Tensor) -> tuple[Tensor, Tensor]:
    return seen.mean(0), torch.cov(seen.T)


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Return numbers, and tuples of them, in JSON's types."""
    return {
        name: [round(v, 4) for v in value] if isinstance(value, tuple) else round(value, 4)
        for name, value in values.items()
    }
