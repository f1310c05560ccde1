"""Measuring a finished discriminator for its model card, with a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.analysis import cifar10, digits, photo_discriminator
from ldam_studio.analysis.judging import COLOUR
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import progress
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.training.photos import Photos

DIGIT_WEIGHTS, MELTED_WEIGHT, DIGIT_STEPS = (0.0, 0.8, 1.0), 0.8, 600
"""For digits: discriminator weights, the one at which chains are melted, and number of steps."""

COLOUR_WEIGHTS, COLOUR_STEPS = (0.0, 0.5, 0.75), cifar10.STEPS
"""For CIFAR-10: discriminator weights and number of steps."""


def measure_digits(
    args: argparse.Namespace, data: Path | None, network: Network, model: DiscriminatorModel
) -> dict[str, str]:
    """Measure the discriminator of digits; return figures by their descriptions."""
    judge = open_judge(data, args.download)
    chains, figures = args.chains_per_class, {}
    with progress() as bar:
        task = bar.add_task("measuring", total=DIGIT_STEPS * len(DIGIT_WEIGHTS))
        for row, state in digits.rows(
            network,
            model,
            judge,
            DIGIT_WEIGHTS,
            chains,
            DIGIT_STEPS,
            args.seed + 1,
            lambda: bar.advance(task),
        ):
            figures[
                f"judge agrees at weight {row.weight:g} ({chains} fresh chains a class, "
                f"{DIGIT_STEPS} steps)"
            ] = f"{row.agreement:.1%}"
            if row.weight == MELTED_WEIGHT:
                real = digits.real_digits()
                figures["... cosine within a class (real digits)"] = (
                    f"{row.cosine:.3f} ({real['cosine']:.3f})"
                )
                figures["... share of background (real digits)"] = (
                    f"{row.dark:.3f} ({real['dark']:.3f})"
                )
                melted = digits.melt_and_collapse(state, model, judge, row.weight)
                figures["... melted and collapsed: cosine to the image before, judge agrees"] = (
                    f"{melted['cosine_to_before']:.3f}, {melted['agreement']:.1%}"
                )
    return figures


def measure_colour(
    args: argparse.Namespace, place: Path | None, network: Network, model: DiscriminatorModel
) -> dict[str, str]:
    """Measure the discriminator of CIFAR-10; return figures by their descriptions."""
    chains, figures = args.chains_per_class, {}
    judge = open_judge(place, args.download, COLOUR)
    yardstick = cifar10.open_yardstick(judge, place, args.download, chains)
    with progress() as bar:
        task = bar.add_task("measuring", total=COLOUR_STEPS * len(COLOUR_WEIGHTS))
        for weight in COLOUR_WEIGHTS:
            row = cifar10.sample(
                network,
                model,
                yardstick,
                weight,
                chains,
                COLOUR_STEPS,
                args.seed + 1,
                lambda: bar.advance(task),
            )
            for what, seen in (("samples", row.raw), ("averages", row.averaged)):
                figures[
                    f"{what} at weight {weight:g} ({chains} fresh chains a class, {COLOUR_STEPS} "
                    "steps): judge agrees, Frechet distance of its features to real images, "
                    "cosine within a class"
                ] = f"{seen.agreement:.1%}, {seen.distance:.2f}, {seen.cosine:.3f}"
    real = cifar10.real_json(yardstick)
    figures["... of as many real images"] = (
        f"{real['agreement']:.1%}, {real['distance']:.2f}, {real['cosine']:.3f}"
    )
    return figures


def measure_photos(
    network: Network, model: DiscriminatorModel, sources: Sequence[Photos], seed: int
) -> dict[str, str]:
    """Measure the discriminator of photographs; return figures by their descriptions."""
    with progress() as bar:
        task = bar.add_task("measuring", total=photo_discriminator.STEPS)
        return photo_discriminator.measure(network, model, sources, seed, lambda: bar.advance(task))
