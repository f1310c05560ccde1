"""The table of file kinds that the studio opens, with their suffixes and how each is opened.

File dialogs, dropped files and the command line use this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ldam_studio.engine.compute.device import Device
from ldam_studio.errors import StudioError
from ldam_studio.export.archive.contents import SUFFIX
from ldam_studio.export.session_file import SUFFIX as FORMER_SUFFIX
from ldam_studio.files import is_folder, is_regular
from ldam_studio.gui.session.openings import Opening
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.checkpoint_headers import is_perhaps_weights
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES

ATLAS_INDEX = "atlas.json"
"""`atlas.folder.INDEX`, whose import takes longer than a table of names may."""


class Opener(Protocol):
    """What the file kinds need in order to open a file."""

    def show_picture(self, path: Path) -> object:
        """Show an exported picture or figure, and offer its session."""

    def open_saved(self, path: Path) -> object:
        """Go on with the session in a session file."""

    def bring_photograph(self, path: Path) -> object:
        """Show an ordinary photograph; raises `StudioError` if no session is open."""

    def open_atlas(self, folder: Path) -> object:
        """Look through the atlas in a folder."""

    def open_weights(self, path: Path) -> object:
        """Use other weights of the current network; raises `StudioError` if they do not fit."""

    def ask_for_network(self, request: NetworkRequest | None = None) -> object:
        """Show the dialog that opens a network, with `request` filled in."""


@dataclass(frozen=True)
class FileKind:
    """One kind of file.

    Parameters
    ----------
    title
        Name of the kind in a file dialog.
    description
        What such a file is, as part of a sentence.
    suffixes
        Suffixes of such files, in lower case.
    open
        Opens a file in the window; may raise `StudioError`.
    opening
        Returns how to open the session in a file on a device; None for kinds that hold no session.
        Only files with sessions can be named on the command line. May raise `StudioError`.
    inside
        The file by which a folder is known that is of this kind itself; empty if none is.
    """

    title: str
    description: str
    suffixes: tuple[str, ...]
    open: Callable[[Opener, Path], object]
    opening: Callable[[Path, Device], Opening] | None = None
    inside: str = ""

    def has(self, path: Path) -> bool:
        """Return whether a file is of this kind by its name, or a folder by what is in it."""
        if self.inside and is_regular(path / self.inside):
            return True
        return path.name.lower().endswith(self.suffixes)

    @property
    def filter(self) -> str:
        """The filter for a file dialog, such as "Pictures (*.png)"."""
        return f"{self.title} ({' '.join(f'*{suffix}' for suffix in self.suffixes)})"


def picture_opening(path: Path, _device: Device) -> Opening:
    """Return how to open the session of an exported picture from its start, where it ran.

    Raises
    ------
    StudioError
        If the file is not an exported picture, or was altered.
    """
    from ldam_studio.gui.opening.pictures import read_picture

    return read_picture(path).from_start()


def figure_opening(path: Path, _device: Device) -> Opening:
    """Return how to open the session of an exported figure from its start, where it ran.

    Raises
    ------
    StudioError
        If the file is not an exported figure, or is damaged.
    """
    from ldam_studio.export.links import link_in
    from ldam_studio.gui.opening.pictures import read_link

    return read_link(link_in(path), path).from_start()


def link_opening(link: str) -> Opening:
    """Return how to open the session of a link from its start.

    Raises
    ------
    StudioError
        If the text is no link, or is damaged.
    """
    from ldam_studio.gui.opening.pictures import read_link

    return read_link(link).from_start()


def saved_opening(path: Path, device: Device) -> Opening:
    """Return how to go on with the session in a session file.

    Raises
    ------
    StudioError
        If the file is none, or was altered.
    """
    from ldam_studio.gui.opening import saved

    return saved.saved_opening(path, device)


SESSION = FileKind(
    "Sessions",
    "a session file",
    (SUFFIX, FORMER_SUFFIX),
    lambda opener, path: opener.open_saved(path),
    saved_opening,
)
PICTURE = FileKind(
    "Pictures",
    "an exported picture",
    (".png",),
    lambda opener, path: opener.show_picture(path),
    picture_opening,
)
FIGURE = FileKind(
    "Figures",
    "an exported figure",
    (".pdf", ".svg"),
    lambda opener, path: opener.show_picture(path),
    figure_opening,
)
WEIGHTS = FileKind(
    "Weights",
    "weights",
    WEIGHTS_SUFFIXES,
    lambda opener, path: opener.open_weights(path),
)
CODE = FileKind(
    "Python",
    "Python code",
    (".py",),
    lambda opener, path: opener.ask_for_network(NetworkRequest(f"{path}:")),
)
PHOTOGRAPH = FileKind(
    "Photographs",
    "a photograph",
    (".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".tif", ".tiff", ".gif"),
    lambda opener, path: opener.bring_photograph(path),
)
"""A photograph may also be a PNG, which is shown as one if it has no recipe."""
ATLAS = FileKind(
    "Atlases",
    "an atlas",
    (ATLAS_INDEX, "index.html"),
    lambda opener, path: opener.open_atlas(path if is_folder(path) else path.parent),
    inside=ATLAS_INDEX,
)
"""An atlas is a folder, which its index and its page stand for."""
ANIMATIONS = (".apng", ".mp4")
"""Suffixes of animations that cannot be opened as photographs either."""
KINDS = (SESSION, PICTURE, FIGURE, PHOTOGRAPH, WEIGHTS, CODE, ATLAS)


def filters() -> str:
    """Return what a file dialog offers: files of all kinds together, then of each kind."""
    every = " ".join(f"*{suffix}" for kind in KINDS for suffix in kind.suffixes)
    return ";;".join((f"All that can be opened ({every})", *(kind.filter for kind in KINDS)))


def kind_of(path: Path) -> FileKind:
    """Return the kind of a file by its suffix; weights are also known by their content.

    Raises
    ------
    StudioError
        If the studio cannot open such files.
    """
    for kind in KINDS:
        if kind.has(path):
            return kind
    if is_perhaps_weights(path):
        return WEIGHTS
    if path.suffix.lower() in ANIMATIONS:
        raise StudioError(
            f"{path} is an animation, which a web browser plays; open an exported picture instead."
        )
    *most, last = (kind.description for kind in KINDS)
    raise StudioError(f"{path} is neither {' nor '.join(most)} nor {last}.")


def opening_of(path: Path, device: Device) -> Opening:
    """Return how to open the session in a file that was named on the command line.

    Raises
    ------
    StudioError
        If the file holds no session, or was altered.
    """
    named = (kind.opening for kind in KINDS if kind.has(path))
    opening = next(named, None) or picture_opening  # its error says what is wrong
    return opening(path, device)
