"""A family of networks: how its names are written, and how one of its networks is built."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.networks.pixels import PixelSpec


@dataclass(frozen=True)
class Published:
    """Weights that a library publishes.

    Attributes
    ----------
    url
        Where they are downloaded from.
    file
        Name of the downloaded file in the cache.
    here
        The file, if it is on this computer already: shipped, or downloaded by the library.
    """

    url: str
    file: str
    here: Path | None = None


@dataclass(frozen=True)
class Source:
    """How one network is built.

    Attributes
    ----------
    build
        Takes a number of classes, or None for the network's own number.
    pixels
        Its input; None if nothing is known about it.
    labels, classes
        Names of its outputs, and their number; 0 if it is unknown.
    published
        Its published weights, if there are any.
    build_published
        Builds the network from the content of the published file, if the library has to translate
        the names in it.
    spare
        Prefixes of weights that a file may lack, because they are used only in training.
    new_name
        Returns the present name of a weight in an older file.
    takes_other_pixels
        Whether the user may describe another input.
    notes
        Sentences for the user about how it was found and built; building may add some.
    """

    build: Callable[[int | None], nn.Module]
    pixels: PixelSpec | None = None
    labels: tuple[str, ...] = ()
    classes: int = 0
    published: Published | None = None
    build_published: Callable[[dict[str, Any]], nn.Module] | None = None
    spare: tuple[str, ...] = ()
    new_name: Callable[[str], str] | None = None
    takes_other_pixels: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Family:
    """Networks of one origin: one row of `families.FAMILIES`.

    Attributes
    ----------
    title
        Name of the family in sentences and dialogs.
    usage
        How its networks are named, for example ``torchvision:NAME``.
    about
        One line about its networks.
    find
        Returns the source of a network by its name, without the prefix. Nothing is built or
        downloaded yet.
    prefix
        Beginning of the names of a library's networks, for example ``torchvision:``; empty for
        networks that belong to no library.
    names
        Lists the networks, without the prefix. It may take seconds.
    package
        The Python package that `find` and `names` import; it may be missing or slow to import.
    runs_code
        Whether building a network runs the user's own code.
    """

    title: str
    usage: str
    about: str
    find: Callable[[str], Source]
    prefix: str = ""
    names: Callable[[], tuple[str, ...]] = tuple
    package: str = ""
    runs_code: bool = False

    def has(self, name: str) -> bool:
        """Return whether a network's full name belongs to this family."""
        return name.startswith(self.prefix) if self.prefix else name in self.names()

    @property
    def is_library(self) -> bool:
        """Whether these are the published networks of a library, with weights to download."""
        return bool(self.prefix)

    @property
    def is_installed(self) -> bool:
        """Whether the package that it needs is installed."""
        return not self.package or importlib.util.find_spec(self.package) is not None

    @property
    def is_imported(self) -> bool:
        """Whether that package has been imported already."""
        return not self.package or self.package in sys.modules
