"""What a recipe refers to outside of itself: networks, discriminators and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ldam_studio.networks.sources.labels import IMAGENET


def references_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every reference to a network, discriminator or file of weights in a recipe's JSON.

    Kept pictures are among them.
    """
    if isinstance(value, Mapping):
        keys = ("weights", "name", "picture_file")
        if isinstance(value.get("sha256"), str) and any(key in value for key in keys):
            yield value
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references_in(each)


def files_in(recipe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield SHA-256 and place of all weights, labels, kept pictures and data of a recipe.

    Labels come with the hash of their network, data with that of the images that were taken from
    it, "" if none were.
    """
    for reference in references_in(recipe):
        for key in ("weights", "labels", "picture_file"):
            place = reference.get(key)
            if isinstance(place, str) and place != str(IMAGENET):
                yield str(reference["sha256"]), place
    for name in ("session", "end"):
        described = recipe.get(name)
        data = described.get("data") if isinstance(described, Mapping) else None
        if isinstance(data, str):
            yield str(recipe.get("real_images") or ""), data
