"""What the figures of CIFAR-10 are held against: a judge, and real images as the judge sees them.

One place for the numbers of ``paper fig7``, ``paper fig8`` and the discriminator's model card, so
that all say the same of the same weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldam_studio import __version__
from ldam_studio.analysis.digits import OnStep, class_neurons, run_on, within_class_cosine
from ldam_studio.analysis.judging import COLOUR, agreement, features, open_judge
from ldam_studio.commands.paper.sheet import Bytes
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.models.judges import Judge
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import CIFAR_PIXELS, DiscriminatorModel
from ldam_studio.sampler.presets import CLOUDY, find_preset
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.cifar10 import load_cifar10

COLOUR_SETTINGS = Settings.of(
    **CLOUDY,
    **find_preset("clean").values(CIFAR_PIXELS.shape, discriminator=True),
)
"""Of the figures, and of the chains that the discriminator is trained with.

Each row of a figure has a discriminator weight of its own. Without smoothness, jitter and the
spectrum of photographs a VGG is content with a fine noise in which neither a person nor another
network sees anything; from even noise its chains end in too much alike images.
"""

WEIGHTS = (0.0, 0.25, 0.5, 0.75)

STEPS = 100
"""From faint noise to a picture that stands still."""

WINDOW = 50
"""Last samples of a chain that its average is over; fewer where there are fewer."""


@dataclass(frozen=True)
class Bench:
    """A judge, and what real images are to it.

    Attributes
    ----------
    judge
        Of another architecture, seed and order of the images than the network that is looked at.
    mean, covariance
        Of its last features over the real test images, float64.
    pictures, labels
        As many test images of each class as there are chains, (n, 3, 32, 32) in pixel units.
    distance
        Frechet distance of `pictures` to the other test images: what is left for so few images.
    """

    judge: Judge
    mean: Tensor
    covariance: Tensor
    pictures: Tensor
    labels: Tensor
    distance: float


@dataclass(frozen=True)
class Seen:
    """What the judge, and the eye of within-class likeness, make of some images.

    Attributes
    ----------
    agreement, agreement_by_class
        Share of images in which the judge sees the class that was asked for.
    distance
        Frechet distance of the judge's last features to those of real images.
    cosine
        Mean cosine, from the rest colour, between images of a class.
    """

    agreement: float
    agreement_by_class: tuple[float, ...]
    distance: float
    cosine: float


@dataclass(frozen=True)
class Row:
    """Fresh chains of all classes at one discriminator weight.

    Attributes
    ----------
    weight
        The discriminator weight.
    activation, real_probability
        Mean activation of the class neuron, and mean probability "real" by the discriminator (None
        without one), of the last samples.
    raw, averaged
        The last samples, and the averages over the last `WINDOW` of them.
    pictures
        The averages, (chains, 3, 32, 32), those of a class in a row.
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


def open_bench(data: Path | None, download: bool, of_each_class: int) -> Bench:
    """Open the judge and show it the test images.

    Raises
    ------
    StudioError
        CIFAR-10 is missing or damaged.
    """
    judge = open_judge(data, download, COLOUR)
    test = load_cifar10(data, "test", download)
    labels = test.labels
    classes = labels.unique()
    each = min(of_each_class, len(test) // len(classes) // 2)  # so that there are others left
    first = torch.cat([(labels == c).nonzero()[:each, 0] for c in classes])
    others = torch.ones(len(test), dtype=torch.bool)
    others[first] = False
    parts = torch.arange(len(test)).split(500)
    seen = torch.cat([features(judge, test.pixels(part)) for part in parts]).double()
    pictures = test.pixels(first)
    mean, covariance = _moments(seen)
    distance = frechet(seen[first], *_moments(seen[others]))
    return Bench(judge, mean, covariance, pictures, labels[first], distance)


def see(bench: Bench, images: Tensor, classes: Tensor) -> Seen:
    """Measure images (n, 3, 32, 32) of which ``classes`` (n,) were asked for."""
    judge = bench.judge
    return Seen(
        agreement=agreement(judge, images, classes),
        agreement_by_class=tuple(
            agreement(judge, images[classes == c], classes[classes == c]) for c in classes.unique()
        ),
        distance=frechet(features(judge, images).double(), bench.mean, bench.covariance),
        cosine=within_class_cosine(images - CIFAR_PIXELS.rest, classes),
    )


def frechet(seen: Tensor, mean: Tensor, covariance: Tensor) -> float:
    """Return the Frechet distance of features (n, d) to a Gaussian of that mean and covariance.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Heusel et al. 2017), in float64. Of few images
    it is too large: they have their own covariance of low rank.
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
    bench: Bench,
    weight: float,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
    settings: Settings = COLOUR_SETTINGS,
) -> Row:
    """Run fresh chains of all classes at a discriminator weight and measure them at the end.

    Equal seeds and steps have equal starts and noise, whatever network and settings are.
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
    raw, averaged = see(bench, x, classes), see(bench, average, classes)
    return Row(weight, activation, real_probability, raw, averaged, average)


def averaging(settings: Settings, steps: int) -> Settings:
    """Return settings that average over the last `WINDOW` of so many steps."""
    burn_in = max(0, steps - WINDOW)
    # A threshold given saves measuring one: nobody asks here whether a chain is burned in.
    return settings.change("burn_in", burn_in).change("window", 0).change("threshold", 0.0)


def real_json(bench: Bench) -> dict[str, float]:
    """Return what the same number of real images would give, in JSON's types."""
    return {
        "agreement": round(agreement(bench.judge, bench.pictures, bench.labels), 4),
        "distance": round(bench.distance, 3),
        "cosine": round(within_class_cosine(bench.pictures - CIFAR_PIXELS.rest, bench.labels), 4),
    }


def head(
    discriminator: DiscriminatorModel, bench: Bench, chains_per_class: int, steps: int, seed: int
) -> dict[str, Any]:
    """Return what is said of all rows alike, in JSON's types."""
    return {
        "version": __version__,
        "discriminator": discriminator.reference,
        "seed": seed,
        "settings": asdict(COLOUR_SETTINGS),
        "steps": steps,
        "averaged_steps": min(steps, WINDOW),
        "chains_per_class": chains_per_class,
        "real": real_json(bench),
    }


def print_table(groups: Sequence[tuple[str, Sequence[Row]]], bench: Bench) -> None:
    """Print the rows of each group, titled, and what as many real images give."""
    print("                     raw samples                   averages")
    print("weight  activation   judge  distance  cosine       judge  distance  cosine")
    for title, rows in groups:
        print(title)
        for row in rows:
            parts = "      ".join(
                f"{s.agreement:6.1%}  {s.distance:8.2f}  {s.cosine:6.3f}"
                for s in (row.raw, row.averaged)
            )
            print(f"{row.weight:6.2f}  {row.activation:10.1f}  {parts}")
    real = real_json(bench)
    print(f"real images: {real['agreement']:.1%}  {real['distance']:.2f}  {real['cosine']:.3f}")


def _moments(seen: Tensor) -> tuple[Tensor, Tensor]:
    return seen.mean(0), torch.cov(seen.T)


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Return numbers, and tuples of them, in JSON's types."""
    return {
        name: [round(v, 4) for v in value] if isinstance(value, tuple) else round(value, 4)
        for name, value in values.items()
    }


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of figures that need the discriminator and the judge of CIFAR-10."""
    parser.add_argument(
        "--discriminator-weights", type=Path, help="a discriminator other than the shipped one"
    )
    add_data(parser)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Declare where CIFAR-10 is."""
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10")
    parser.add_argument("--download", action="store_true", help="fetch it where it is missing")


def first_of_each(network: Network, images: Tensor, chains_per_class: int) -> list[Bytes]:
    """Return the first image of each class (n, C, H, W) as it is printed: as a real image."""
    return [
        to_bytes(image.numpy(), network.pixels, "image") for image in images[::chains_per_class]
    ]


def _rounded_or_none(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
