"""What there is to say of a neuron that was drawn, and of the time that others will take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldam_studio.explore.sheets.making import activation_words

if TYPE_CHECKING:
    from ldam_studio.explore.sheets.rows import SheetRow

AGREES, PARTLY = 0.8, 0.4
"""Least mean cosine of the chains' averages that counts as agreement, and as some."""


def about(row: SheetRow) -> str:
    """Return what there is to say of a neuron, in lines."""
    steps = "1 step" if row.steps == 1 else f"{row.steps:,} steps"
    first = row.label if row.label == row.neuron else f"{row.label} ({row.neuron})"
    lines = [first, f"Activation {activation_words(row.activation)} on its picture"]
    if row.silent:
        lines.append(f"No gradient in {steps}: the picture is noise")
    else:
        lines.append(f"Converged after {steps}" if row.converged else f"Not converged in {steps}")
    if row.agreement is not None and not row.silent:
        lines.append(f"{_agreement(row.agreement)} ({row.agreement:.2f})")
    return "\n".join(lines)


def _agreement(value: float) -> str:
    if value >= AGREES:
        return "Its chains found the same picture"
    return "Its chains agree in part" if value >= PARTLY else "Its chains found different pictures"


def duration(seconds: float) -> str:
    """Return a duration in words, such as "40 seconds" or "2 minutes"."""
    if seconds < 50:
        count, unit = (
            max(1, 10 * math.ceil(seconds / 10) if seconds > 10 else math.ceil(seconds)),
            "second",
        )
    elif seconds < 50 * 60:
        count, unit = max(1, round(seconds / 60)), "minute"
    else:
        count, unit = max(1, round(seconds / 3600)), "hour"
    return f"{count} {unit}{'' if count == 1 else 's'}"
