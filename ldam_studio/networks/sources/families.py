"""The families of networks: built in, from libraries, and the user's own code.

To add a family, write its module in this folder and add its row to `FAMILIES`.
"""

from __future__ import annotations

from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.networks.sources import built_in, own_code, timm, torchvision
from ldam_studio.networks.sources.download import cached
from ldam_studio.networks.sources.family import Family, Published, Source
from ldam_studio.networks.sources.in_memory import check_has_file

FAMILIES: tuple[Family, ...] = (
    built_in.FAMILY,
    torchvision.FAMILY,
    timm.FAMILY,
    own_code.FAMILY,
)
"""The table, in the order in which help and dialogs list the families. Own code is the last."""


def family_of(name: str) -> Family:
    """Return the family of a network's name; own code if it belongs to no other."""
    return next((family for family in FAMILIES if family.has(name)), FAMILIES[-1])


def libraries() -> tuple[Family, ...]:
    """Return the families that are libraries with published weights, installed or not."""
    return tuple(family for family in FAMILIES if family.is_library)


def find_source(name: str) -> Source:
    """Return the source of the network with this name, without building the network.

    If the name is one of own code, that code is imported and therefore run.

    Raises
    ------
    StudioError
        If there is no such network.
    """
    check_has_file(name)
    family = family_of(name)
    if family.runs_code and ":" not in name:
        *others, last = (each.usage for each in FAMILIES)
        raise StudioError(
            f"There is no network {name!r}; there are {', '.join(others)} and {last}."
        )
    return family.find(name.removeprefix(family.prefix))


def runs_code(name: str) -> bool:
    """Return whether opening the network with this name runs the user's own code."""
    return family_of(name).runs_code


def short_name(name: str) -> str:
    """Return a network's name without folders, and without its library's prefix."""
    place, colon, function = name.removeprefix(family_of(name).prefix).rpartition(":")
    return f"{Path(place).name}{colon}{function}"


def to_download(name: str) -> Published | None:
    """Return what has to be downloaded to open the network `name` with its published weights.

    Returns
    -------
    None if nothing has to be downloaded: for networks that are built in or the user's own code, and
    for weights that are on this computer already.

    Raises
    ------
    StudioError
        If there is no such network.
    """
    if not family_of(name).is_library:
        return None
    published = find_source(name).published
    if published is None or published.here is not None:
        return None
    return None if cached(published.url, file=published.file).exists() else published
