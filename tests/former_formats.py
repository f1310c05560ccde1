"""What version 0.1.0 wrote, made from what is written now: descriptions and recipes of one lane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_lanes(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a session of one lane as 0.1.0 wrote it."""
    (lane,) = description["lanes"]
    others = {key: value for key, value in description.items() if key != "lanes"}
    return others | dict(lane)


def in_format_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe of one lane in format 1; its hash no longer fits."""
    (progress,) = data["lanes"]
    others = {key: value for key, value in data.items() if key != "lanes"}
    described = {name: without_lanes(data[name]) for name in ("session", "end")}
    return others | {"format": 1} | described | progress
