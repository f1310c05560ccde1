"""Measures of generated digits: a judge's agreement, variety within a class, melting and collapse.

The numbers of ``paper fig1`` and of the discriminator's model card are computed here, so that they
agree for the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn import functional

from ldam_studio.analysis.judging import agreement
from ldam_studio.analysis.sampling import OnStep, class_neurons, run_on
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.models.judges import Judge
from ldam_studio.networks.network import Network
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet

FIGURE_SETTINGS = Settings.of(
    mode="normalised", step_size=0.1, temperature=0.01, l2=0.0, clamp=True
)
"""Settings of the paper's Figure 1, and of the chains with which the discriminator is trained."""

DARK = 0.25
"""Pixels below this value count as background."""

MELT_STEPS, COLLAPSE_STEPS = 60, 300


@dataclass(frozen=True)
class Row:
    """Measures of new chains at one discriminator weight, with the same number for each class.

    Attributes
    ----------
    weight
        The discriminator weight.
    activation, real_probability
        Mean activation of the class neuron, and the discriminator's mean probability that an image
        is real.
    agreement, agreement_by_class
        Share of images in which the judge sees the intended class.
    cosine
        Mean cosine between images of the same class; a lower value means more variety.
    dark
        Share of background pixels.
    """

    weight: float
    activation: float
    real_probability: float
    agreement: float
    agreement_by_class: tuple[float, ...]
    cosine: float
    dark: float

    def json(self) -> dict[str, Any]:
        """Return the row in JSON's types."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def sample(
    network: Network,
    discriminator: DiscriminatorModel | None,
    settings: Settings,
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> SessionState:
    """Run new chains of all classes for ``steps`` steps on the CPU; return their session."""
    spec = SessionSpec(
        network,
        class_neurons(network, chains_per_class),
        settings,
        seed,
        discriminator,
        Device(),
    )
    return run_on(open_session(spec), steps, on_step)


@torch.no_grad()
def measure(
    state: SessionState, discriminator: DiscriminatorModel, judge: Judge, weight: float
) -> Row:
    """Measure the last samples of a session's chains."""
    lane = state.lane
    x, classes = lane.chains.x, lane.targets.units.indices
    activation = lane.activation(x)
    return Row(
        weight=weight,
        activation=float(activation.mean()),
        real_probability=float(discriminator.module(x).sigmoid().mean()),
        agreement=agreement(judge, x, classes),
        agreement_by_class=tuple(
            agreement(judge, x[classes == index], classes[classes == index])
            for index in range(int(classes.max()) + 1)
        ),
        cosine=within_class_cosine(x, classes),
        dark=dark_share(x),
    )


def rows(
    network: Network,
    discriminator: DiscriminatorModel,
    judge: Judge,
    weights: Sequence[float],
    chains_per_class: int,
    steps: int,
    seed: int,
    on_step: OnStep = lambda: None,
) -> Iterator[tuple[Row, SessionState]]:
    """Sample and measure at each discriminator weight, with the same starts and noise."""
    for weight in weights:
        settings = FIGURE_SETTINGS.change("discriminator_weight", weight)
        # At weight 0 the discriminator is not used, whether or not the session has one.
        state = sample(network, discriminator, settings, chains_per_class, steps, seed, on_step)
        yield measure(state, discriminator, judge, weight), state


def melt_and_collapse(
    state: SessionState,
    discriminator: DiscriminatorModel,
    judge: Judge,
    weight: float,
    on_step: OnStep = lambda: None,
) -> dict[str, Any]:
    """Melt a session's pictures, let them form again, and compare them with those before.

    The temperature is 100 times as high for 60 steps, then as before for 300.
    """
    before = state.lane.chains.x.clone()
    state = run_on(state, MELT_STEPS, on_step, [Change("melt", MELT_STEPS)])
    state = run_on(state, COLLAPSE_STEPS, on_step)
    after = state.lane.chains.x
    cosine = functional.cosine_similarity(after.flatten(1), before.flatten(1)).mean()
    row = measure(state, discriminator, judge, weight).json()
    return {"cosine_to_before": _rounded(float(cosine)), **row}


def real_digits() -> dict[str, float]:
    """Return within-class cosine and share of background pixels of the shipped real digits."""
    digits = load_digits_sheet()
    pixels = digits.pixels()
    return {
        "cosine": _rounded(within_class_cosine(pixels, digits.labels)),
        "dark": _rounded(dark_share(pixels)),
    }


def within_class_cosine(images: torch.Tensor, classes: torch.Tensor) -> float:
    """Return the mean cosine between two different images ``(n, C, H, W)`` of the same class.

    The mean is over pairs and then over classes; 1 means that all images of a class are equal.
    Classes with a single image do not count; the result is NaN if there are no others.
    """
    means = []
    for index in classes.unique():
        rows_ = functional.normalize(images[classes == index].flatten(1), dim=1)
        count = len(rows_)
        if count > 1:
            total = rows_.sum(0).square().sum() - count
            means.append(total / (count * (count - 1)))
    return float(torch.stack(means).mean()) if means else float("nan")


def dark_share(images: torch.Tensor) -> float:
    """Return the share of pixels that are background."""
    return float((images < DARK).double().mean())


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if value == value else None
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value
