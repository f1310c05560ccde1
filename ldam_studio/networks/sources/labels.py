"""Names of classes: ImageNet's, which ship with the program, or those in a text file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError, plain
from ldam_studio.files import is_regular, read_bytes
from ldam_studio.networks.anatomy.layers import Layer

IMAGENET = Path("imagenet")
"""Means ImageNet's 1,000 names, in place of a file with labels."""
MOST_BYTES, MOST_LINES, MOST_LETTERS = 2**24, 100_000, 200  # of the file, and of one name
_NAMES = re.compile(r"names\s*:(\s|$)")  # of YAML, in the settings of a detector's data
_HEAD = re.compile(r"(^|[,\t])\s*\"?(display_name|class_name|label|index|mid)\"?\s*([,\t]|$)", re.I)
MOST_NEAR = 5  # number of similar names that are suggested for an unknown one


def imagenet_labels() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes, in the usual order."""
    return read_labels(IMAGENET)


def read_labels(path: Path) -> tuple[str, ...]:
    """Read a text file with one name per line, without its empty lines.

    Raises
    ------
    StudioError
        If the file cannot be read, or has another format.
    """
    where = asset("resources", "imagenet_labels.txt") if path == IMAGENET else path
    try:
        lines = read_bytes(where, MOST_BYTES).decode("utf-8").splitlines()
    except (StudioError, UnicodeDecodeError) as error:
        raise StudioError(
            f"The labels {path} cannot be read ({error}); give a text file, or {IMAGENET} for "
            "ImageNet's 1,000 names."
        ) from None
    if len(lines) > MOST_LINES:
        raise StudioError(
            f"The labels {path} are {len(lines):,} lines, more than a network has classes; give a "
            "text file with one name per line."
        )
    other = _other_format(where, lines)
    if other is not None:
        raise StudioError(
            f"The labels {path} are {other}; give a text file with one name per line, in the order "
            "of the classes."
        )
    return tuple(plain(line.strip(), MOST_LETTERS) for line in lines if line.strip())


def _other_format(path: Path, lines: Sequence[str]) -> str | None:
    """Return what a file is that has no name on each line; None if it seems to be plain text."""
    lines = [line for line in lines if line.strip()]
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml") or any(_NAMES.match(line) for line in lines):
        return "YAML"
    if suffix == ".json" or (lines and lines[0].lstrip()[0] in "{["):
        return "JSON"
    columns = any("," in line or "\t" in line for line in lines)
    if columns and (suffix in (".csv", ".tsv") or (lines and _HEAD.search(lines[0]))):
        return "a table (CSV)"
    return None


def can_be_read(path: Path) -> bool:
    """Return whether this file of labels exists."""
    return path == IMAGENET or is_regular(path)


def wrong_number(
    count: int, where: str, outputs: Sequence[Layer], layers: Sequence[Layer]
) -> StudioError:
    """Return the error for more or fewer names than the outputs have neurons; `where` has them.

    It suggests those of the `layers` that have this number of neurons, the last ones first.
    """
    if len(outputs) == 1:
        number = outputs[0].neurons
        has = f"has {number} output{'' if number == 1 else 's'} in {outputs[0].name}"
    else:
        each = [f"{layer.neurons} in {layer.name}" for layer in outputs]
        has = f"returns {', '.join(each[:-1])} and {each[-1]}"
    fitting = [layer.name for layer in reversed(layers) if layer.neurons == count][:MOST_NEAR]
    if fitting:
        first, *others = fitting
        also = f" (or {', '.join(others)})" if others else ""
        remedy = f"take the layer of {count} for the classes: --class-layer {first}{also}"
    else:
        remedy = "give one label per line, as many as there are classes"
        remedy += ", or choose the layer of the classes (--class-layer)" * (len(outputs) > 1)
    labels = "label" if count == 1 else "labels"
    return StudioError(f"{where} has {count} {labels}, but the network {has}; {remedy}.")


def class_called(name: str, labels: Sequence[str]) -> int | None:
    """Return the number of the class with this name, ignoring case; None if there is none."""
    known = [label.casefold() for label in labels]
    wanted = name.strip().casefold()
    return known.index(wanted) if wanted in known else None


def classes_like(name: str, labels: Sequence[str]) -> list[str]:
    """Return a few names of classes that are similar to a mistyped or shortened one."""
    known = {label.casefold(): label for label in labels}
    wanted = name.strip().casefold()
    inside = [label for folded, label in known.items() if wanted and wanted in folded]
    near = difflib.get_close_matches(wanted, known, MOST_NEAR)
    return inside[:MOST_NEAR] or [known[folded] for folded in near]
