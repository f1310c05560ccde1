"""The numbers that are reported about neurons' modes, and their means over neurons and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from ldam_studio.analysis.intervals import Interval, bootstrap_crossed
from ldam_studio.analysis.modality import Groups, Modality, Plan

MEASURES: dict[str, Callable[[Modality], float]] = {
    "modes": lambda m: float(len(m.shares)),
    "effective modes": lambda m: m.effective,
    "pairwise cosine": lambda m: m.pairwise,
    "gradient's spread": lambda m: m.spread,
}
"""Measures of a neuron by name, see `Modality`."""

Values = Mapping[str, float]
"""Values of `MEASURES`, by name."""


def values_of(modality: Modality) -> dict[str, float]:
    """Return each measure's value."""
    return {name: of(modality) for name, of in MEASURES.items()}


def summary(values: Sequence[Values], runs: int) -> dict[str, Interval]:
    """Return the mean of each measure; `values` has the same neurons in each of `runs` runs."""
    return {name: bootstrap_crossed(_table(values, name, runs)) for name in MEASURES}


def difference(first: Sequence[Values], second: Sequence[Values], runs: int) -> dict[str, Interval]:
    """Return the mean of second minus first, neuron by neuron and run by run."""
    return {
        name: bootstrap_crossed(_table(second, name, runs) - _table(first, name, runs))
        for name in MEASURES
    }


def _table(values: Sequence[Values], name: str, runs: int) -> Tensor:
    return torch.tensor([each[name] for each in values], dtype=torch.float64).reshape(runs, -1)


def plan_json(plan: Plan, real: Sequence[Groups]) -> dict[str, Any]:
    """Return the plan, and the measures of real images under it, in JSON's types."""
    means = {name: round(value, 4) for name, value in of_real(real).items()}
    return {**asdict(plan), "real_images": means}


def of_real(real: Sequence[Groups]) -> dict[str, float]:
    """Return the measures of real images by name, as means over classes; none without images."""
    if not real:
        return {}
    return {
        "modes": sum(len(groups.shares) for groups in real) / len(real),
        "effective modes": sum(groups.effective for groups in real) / len(real),
        "pairwise cosine": sum(groups.pairwise for groups in real) / len(real),
    }


def to_json(modality: Modality) -> dict[str, Any]:
    """Return a neuron's numbers in JSON's types."""
    return {
        "shares": [round(share, 4) for share in modality.shares],
        "activation": round(modality.activation, 4),
    } | {name: round(value, 5) for name, value in values_of(modality).items()}
