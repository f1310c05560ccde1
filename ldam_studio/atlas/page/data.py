"""What the page knows of an atlas: a script with one object, which a browser loads from disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ldam_studio.atlas.folder import Index
from ldam_studio.atlas.page.sheets import PER_STRIP, Kept, Sheet, files_of
from ldam_studio.atlas.page.sprites import COLUMNS
from ldam_studio.sampler.settings import Settings

FORMAT = 1
LONG = 200
"""Letters after which a value is cut."""
NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
"""How numbers of neurons are written; a browser knows no integers of 16 digits."""


def script_of(index: Index, sheets: Mapping[str, Sheet]) -> bytes:
    """Return the script that hands an atlas to the page.

    Everything in it that comes from files is text within JSON, of ASCII letters only.

    Parameters
    ----------
    sheets
        By the names of their groups.
    """
    known = {layer: number for number, layer in enumerate(index.layers)}
    layers: dict[str, list[dict[str, Any]]] = {layer: [] for layer in index.layers}
    tables = list[dict[str, Any]]()
    for name, sheet in sheets.items():
        if sheet.cells is None:
            continue
        averages, *strips = files_of(name, sheet)
        given = iter(strips)
        tables.append(
            {
                "folder": sheet.folder,
                "file": averages,
                "cells": _numbers(sheet.cells),
                "strips": [[next(given), *_numbers(c)] if c else None for c in sheet.strips],
            }
        )
        for slot, kept in enumerate(sheet.kept):
            place = {"sheet": len(tables) - 1, "slot": slot}
            layers.setdefault(kept.row.layer, []).append(_neuron(kept) | place)
    ordered = sorted(layers, key=lambda layer: (known.get(layer, len(known)), layer))
    data = {
        "format": FORMAT,
        "columns": COLUMNS,
        "perStrip": PER_STRIP,
        "name": str(index.atlas.get("network", ""))[:LONG],
        "about": _about(index),
        "settings": _settings(index.atlas.get("settings")),
        "sheets": tables,
        "layers": [_columns(layer, layers[layer]) for layer in ordered],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return f"LDAM.add({text});\n".encode("ascii")


def _numbers(cells: Any) -> list[int]:
    return [cells.width, cells.height, cells.zoom]


def _neuron(kept: Kept) -> dict[str, Any]:
    row = kept.row
    number = row.neuron.removeprefix(f"{row.layer}:")
    plain = row.neuron != number and NUMBER.fullmatch(number)
    return {
        "neuron": int(number) if plain else row.neuron,
        "label": row.label,
        "activation": float(f"{row.activation:.6g}"),
        "state": 2 if row.silent else int(not row.converged),
        "steps": row.steps,
        "chain": row.chain,
        "modes": row.modes,
        "agreement": None if row.agreement is None else round(row.agreement, 4),
        "samples": kept.samples,
        "file": kept.file,
    }


def _columns(layer: str, neurons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the neurons of a layer as columns, and as one value where all have the same."""
    columns: dict[str, Any] = {"name": layer, "count": len(neurons)}
    for name in neurons[0] if neurons else ():
        values = [neuron[name] for neuron in neurons]
        columns[name] = values if any(value != values[0] for value in values) else [values[0]]
    return columns


def _about(index: Index) -> list[tuple[str, str]]:
    """Return what all neurons have in common, with the words for it."""
    told = index.atlas
    rows = [
        ("weights", str(told.get("weights' SHA-256", ""))[:12]),
        ("chains", _text(told.get("chains", ""))),
        ("at most", f"{_text(told.get('steps', ''))} steps"),
        ("seed", _text(told.get("seed", ""))),
        ("display", _text(told.get("display", ""))),
        ("drawn by", f"LDAM Studio {index.version}"),
    ]
    return [(name, text[:LONG]) for name, text in rows if text]


def _settings(told: Any) -> list[tuple[str, str]]:
    """Return the settings whose values are not the usual ones."""
    usual = json.loads(json.dumps(asdict(Settings())))
    given = told if isinstance(told, dict) else {}
    return [
        (str(name)[:LONG].replace("_", " "), _text(value)[:LONG])
        for name, value in given.items()
        if value != usual.get(name)
    ]


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value)
