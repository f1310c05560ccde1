"""The numbers of a verdict in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.gui.frame_words import short_label, thousands

if TYPE_CHECKING:
    from ldam_studio.explore.agreement.diagnostics import Array
    from ldam_studio.explore.agreement.neurons import NeuronVerdict

NONE = "–"


def chip_labels(verdicts: Sequence[NeuronVerdict]) -> list[str]:
    """Return a short name of each verdict's chains, with their numbers where names are equal."""
    labels = [short_label(each.label) for each in verdicts]
    count = Counter(labels)
    return [
        f"{label} {_chains(each)}" if count[label] > 1 else label
        for label, each in zip(labels, verdicts, strict=True)
    ]


def detail_words(found: NeuronVerdict) -> list[tuple[str, str, str]]:
    """Return the numbers behind a verdict: for each its name, its value, and what it means."""
    numbers, needed = found.verdict.diagnostics, found.verdict.needed
    chains = len(found.chains)
    kept = f", one in {found.stride} kept" if found.stride > 1 else ""
    samples = (
        "Samples",
        f"{thousands(found.samples)} of {_count(chains)}{kept}",
        "Samples of each chain since the start, or since the last change of neurons or settings.",
    )
    if numbers is None:
        return [samples]
    rate = found.effective_per_second
    return [
        (
            "R-hat",
            f"{_three(numbers.r_hat)} ({_quantity(numbers.worst)})",
            "The largest rank-normalised split R-hat of the activation and the 16 projections of "
            "the images; chains that agree have less than 1.01.",
        ),
        (
            "Nested R-hat",
            NONE if numbers.r_hat_nested is None else _three(numbers.r_hat_nested),
            "The same where several chains began at one image.",
        ),
        (
            "Effective samples",
            f"bulk {_least(numbers.bulk)}, tails {_least(numbers.tail)}, needed {needed:,.0f}",
            "How many independent samples those of all chains are worth, at least.",
        ),
        (
            "Per second",
            NONE if rate is None else f"{rate:,.1f}",
            "Effective samples that each second of sampling adds.",
        ),
        (
            "Chance",
            _chance(numbers.apart),
            "How probable it is that chains which agree differ as much as these do.",
        ),
        samples,
    ]


def _count(chains: int) -> str:
    return "1 chain" if chains == 1 else f"each of {thousands(chains)} chains"


def _chains(found: NeuronVerdict) -> str:
    first, last = found.chains[0] + 1, found.chains[-1] + 1
    return f"#{first}" if first == last else f"#{first}–{last}"


def _quantity(number: int) -> str:
    return "activation" if number == 0 else f"projection {number}"


def _three(values: Array) -> str:
    known = values[np.isfinite(values)]
    return f"{known.max():.3f}" if len(known) else NONE


def _least(values: Array) -> str:
    known = values[np.isfinite(values)]
    return f"{known.min():,.0f}" if len(known) else NONE


def _chance(value: float) -> str:
    return "below 0.0001" if value < 1e-4 else f"{value:.2g}"
