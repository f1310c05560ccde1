"""The values of a run over its steps as a table: CSV with what they are in comments above."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ldam_studio.errors import plain
from ldam_studio.progress import tell

AT_ONCE = 8192  # numbers; numpy's formatting of them holds all other threads up, for some 6 ms
MEANS = ("least", "mean", "greatest")


@dataclass(frozen=True)
class Column:
    """One quantity of the chains of one lane.

    Attributes
    ----------
    name
        The quantity, with the lane's name before it if there are several.
    values
        Shape (rows, chains), or (3, rows, chains) with the least, mean and greatest value of the
        steps of a row. NaN where nothing was measured.
    of_chains
        Whether there is a number for each chain, and not one for all.
    """

    name: str
    values: NDArray[np.float32]
    of_chains: bool = True


@dataclass(frozen=True)
class Table:
    """The values of a run.

    `steps` (rows,) has the first step of each row. `about` are lines that say what the numbers are.
    """

    steps: NDArray[np.int64]
    columns: tuple[Column, ...]
    about: tuple[str, ...]


def table_bytes(table: Table) -> bytes:
    """Return a table as CSV; reading its numbers as 32-bit floats gives the same numbers."""
    file = StringIO()
    _write(table, file)
    return file.getvalue().encode()


def _write(table: Table, file: TextIO) -> None:
    for line in table.about:
        file.write(f"# {plain(line)}\n")
    names = [name for column in table.columns for name in _names(column)]
    csv.writer(file, lineterminator="\n").writerow(["step", *names])
    if not names:
        return
    values = np.concatenate([_flat(column) for column in table.columns], axis=1)
    rows_at_once = max(1, AT_ONCE // len(names))
    for first in range(0, len(values), rows_at_once):
        tell("writing the traces", first, len(values))
        part = slice(first, first + rows_at_once)
        cells = values[part].astype(str)
        cells[np.isnan(values[part])] = ""
        rows = zip(table.steps[part].tolist(), cells.tolist(), strict=True)
        file.write("".join(f"{step},{','.join(row)}\n" for step, row in rows))


def _names(column: Column) -> Iterator[str]:
    parts: Sequence[str] = [f" {part}" for part in MEANS] if column.values.ndim == 3 else [""]
    for part in parts:
        for chain in range(column.values.shape[-1]):
            yield f"{column.name}{part}" + (f" chain {chain + 1}" if column.of_chains else "")


def _flat(column: Column) -> NDArray[np.float32]:
    """Return the values in the order of `_names`, (rows, names)."""
    if column.values.ndim == 2:
        return column.values
    return np.concatenate(list(column.values), axis=1)
