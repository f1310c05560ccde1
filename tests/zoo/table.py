"""The table of models as a person reads it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = dict[str, Any]
HEAD = (
    *("model", "parameters", "input", "layers", "neurons", "class step"),
    *("inner neuron", "it sees", "run on", "inner step", "memory"),
)


HEADINGS = {
    "torchvision": "Every classification model of torchvision",
    "timm": "One model of each of {} families of timm",
}
INTRODUCTION = (
    "# Models that open\n\n"
    "Written by `make zoo`: random weights, float32, one thread of a processor, one chain, three "
    "steps. A class neuron takes the whole network; of an inner neuron only what it sees is run, "
    'where that gives the same ("run on"). Step: median time that the processor took for the '
    "whole step. Memory: the most that the process took, with torch itself.\n"
)


def write(page: Path, library: str, rows: Sequence[Row]) -> None:
    """Write a library's table into the page; those of other libraries stay as they are."""
    _, *parts = page.read_text().split("\n## ") if page.exists() else [""]
    sections = [INTRODUCTION]
    for known, heading in HEADINGS.items():
        begins = heading.partition("{}")[0]
        kept = [part for part in parts if part.startswith(begins)]
        sections += [markdown(library, rows)] if known == library else kept
    page.write_text("\n## ".join(sections))


def markdown(library: str, rows: Sequence[Row]) -> str:
    """Return a library's section of the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in dict.fromkeys(("torch", library)))
    lines = [
        HEADINGS[library].format(len(rows)),
        "",
        f"Measured with {versions}, Python {platform.python_version()}.",
        "",
        summary(rows),
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + " --- |" * len(HEAD),
        *(f"| {' | '.join(_cells(row))} |" for row in rows),
        "",
    ]
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """Return the sentence for the README."""
    good = [row for row in rows if not row.get("error")]
    cropped = [row for row in good if row["inner"]["crop"]]
    parameters = [row["parameters"] / 1e6 for row in good]
    layers = [row["layers"] for row in good]
    neurons = [row["neurons"] for row in good]
    return (
        f"{len(good)} of {len(rows)} models open, list their layers and take three steps on a "
        f"class and on an inner neuron: {min(parameters):,.1f} to {max(parameters):,.0f} million "
        f"parameters, {min(layers)} to {max(layers)} layers, {min(neurons):,} to "
        f"{max(neurons):,} neurons; in {len(cropped)} the inner neuron is run on a crop."
    )


def in_words(row: Row) -> str:
    """Return one row for the terminal."""
    if row.get("error"):
        return f"FAILED: {row['error']}"
    return " | ".join(_cells(row)[1:])


def _cells(row: Row) -> list[str]:
    if row.get("error"):
        return [row["model"], f"failed: {row['error']}", *[""] * (len(HEAD) - 2)]
    inner = row["inner"]
    return [
        row["model"],
        f"{row['parameters'] / 1e6:,.1f} M",
        " × ".join(map(str, row["input"])),
        str(row["layers"]),
        f"{row['neurons']:,}",
        f"{row['class']['ms']:,.0f} ms",
        f"`{inner['neuron']}`",
        "all" if inner["field"] is None else " × ".join(map(str, inner["field"])),
        "all" if inner["crop"] is None else " × ".join(map(str, inner["crop"])),
        f"{inner['ms']:,.0f} ms",
        f"{row['memory_mb'] / 1024:.1f} GB",
    ]
