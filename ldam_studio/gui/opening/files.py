"""The entries of the File menu that open networks, pictures, weights and discriminators."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from ldam_studio.errors import StudioError
from ldam_studio.gui.opening.drop import REFUSED, FileDrop
from ldam_studio.gui.opening.file_kinds import WEIGHTS, filters, kind_of, picture_opening
from ldam_studio.gui.opening.open_network import OpenNetwork
from ldam_studio.gui.opening.open_weights import OpenWeights
from ldam_studio.gui.opening.trust import ask_for_trust
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.gui.opening.download_first import DownloadFirst
    from ldam_studio.gui.opening.open_saved import OpenSaved
    from ldam_studio.gui.opening.show_picture import ShowPicture
    from ldam_studio.gui.session.openings import Opening

NETWORK = Entry(
    "open_network",
    "Open Network…",
    "Ctrl+Shift+O",
    "Open a torchvision model or your own network",
)
OPEN_FILE = Entry(
    "open_file",
    "Open File…",
    "Ctrl+O",
    "Open a session, an exported picture, or whatever else can be dropped on the window",
)
OPEN_ATLAS = Entry(
    "open_atlas",
    "Open Atlas…",
    "",
    "Look through the pictures of all neurons that ldam-studio atlas drew",
)
OPEN_LINK = Entry(
    "open_link",
    "Open Link…",
    "",
    "Open a session from a link that Copy Link made",
)
OPEN_WEIGHTS = Entry(
    "open_weights",
    "Open Network Weights…",
    "",
    "Use other weights for this network",
    needs_session=True,
)
DISCRIMINATOR = Entry(
    "open_discriminator",
    "Open Discriminator Weights…",
    "",
    "Replace the discriminator by one that was saved",
    needs_session=True,
)


class Files(Feature):
    """Opens files that the user chooses or drops; each failure is one message."""

    entries = (NETWORK, OPEN_WEIGHTS, DISCRIMINATOR, OPEN_FILE, OPEN_ATLAS, OPEN_LINK)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._download_first: DownloadFirst | None = None
        self._show_picture: ShowPicture | None = None
        self._open_saved: OpenSaved | None = None
        self.networks = OpenNetwork(studio)
        self.weights = OpenWeights(studio)
        places = studio.places
        any_file = partial(self._ask, "Open a file", filters)
        weights = partial(self._ask, "Open weights", lambda: WEIGHTS.filter)
        places.add_to_menu(
            "File",
            places.action(NETWORK, self.ask_for_network),
            present(self.networks.at_once.menuAction()),
            present(self.networks.recent.menuAction()),
            places.action(OPEN_WEIGHTS, weights),
            places.action(DISCRIMINATOR, self.weights.ask_for_discriminator),
            places.action(OPEN_FILE, any_file),
            places.action(OPEN_ATLAS, self.ask_for_atlas),
            places.action(OPEN_LINK, self.ask_for_link),
        )
        refuse = partial(studio.notices.say, kind="danger", key=REFUSED)
        FileDrop(places.root, self.open_or_raise, refuse, places.light_up)
        studio.before_opening(self._takes_over)
        studio.show_picture = self.show_picture
        studio.picture_opening = partial(picture_opening, _device=studio.device)

    def leave(self) -> None:
        """Abandon a download, and what is being read or replayed."""
        self.weights.leave()
        self.networks.leave()
        for work in (self._download_first, self._show_picture, self._open_saved):
            if work is not None:
                work.leave()

    def open(self, path: Path) -> None:
        """Open a file of any kind in `file_kinds.KINDS`; a failure is shown as a message."""
        try:
            self.open_or_raise(path)
        except StudioError as error:
            self.studio.notices.say(str(error), "danger", key=REFUSED)

    def open_or_raise(self, path: Path) -> None:
        """Open a file of any kind in `file_kinds.KINDS`.

        Raises
        ------
        StudioError
            If the kind is unknown or the file is damaged; the current session continues.
        """
        self.studio.notices.dismiss(REFUSED)
        kind_of(path).open(self, path)

    def show_picture(self, path: Path) -> None:
        """Show an exported picture at once, and offer to go on with its session."""
        self._shows_pictures().open(path)

    def ask_for_atlas(self) -> None:
        """Ask for the folder of an atlas, and look through it."""
        studio = self.studio
        text = QFileDialog.getExistingDirectory(
            studio.places.root, "Open an atlas", studio.start_folder
        )
        if text:
            studio.start_folder = str(Path(text).parent)
            self.open_atlas(Path(text))

    def open_atlas(self, folder: Path) -> None:
        """Look through the atlas in a folder."""
        self.studio.show_atlas(folder)

    def ask_for_link(self) -> None:
        """Ask for a link, and open it."""
        from ldam_studio.gui.opening.open_link import LinkDialog

        dialog = LinkDialog(self.studio.places.root)
        link = dialog.ask()
        dialog.deleteLater()
        if link is not None:
            self.open_link(link)

    def open_link(self, link: str) -> None:
        """Say what a link shows, and offer to go on with its session."""
        self._shows_pictures().open_link(link)

    def _shows_pictures(self) -> ShowPicture:
        from ldam_studio.gui.opening.show_picture import ShowPicture

        if self._show_picture is None:
            self._show_picture = ShowPicture(self.studio)
        return self._show_picture

    def open_saved(self, path: Path) -> None:
        """Go on with the session in a session file."""
        from ldam_studio.gui.opening.open_saved import OpenSaved

        if self._open_saved is None:
            self._open_saved = OpenSaved(self.studio)
        self._open_saved.open(path)

    def bring_photograph(self, path: Path) -> None:
        """Show an ordinary photograph.

        Raises
        ------
        StudioError
            If no session is open.
        """
        from ldam_studio.export.formats.animated import is_animation
        from ldam_studio.gui.opening.show_picture import first_image_of

        self.studio.bring_photograph(path)
        if is_animation(path):
            self.studio.notices.say(first_image_of(path))

    def ask_for_network(self, request: NetworkRequest | None = None) -> NetworkDialog:
        """Show the dialog that opens a network; a `request` is loaded at once."""
        return self.networks.ask(request)

    def open_weights(self, path: Path) -> None:
        """Use other weights for the current network.

        Raises
        ------
        StudioError
            If no session is open. What is wrong with the file is said when it was read.
        """
        from ldam_studio.networks.sources.built_in import NETWORKS

        model = self.studio.model
        if not model.is_open:
            raise StudioError(f"Open a network first, then its weights in {path.name}.")
        network = model.outline.lane.network
        if network.name in NETWORKS:
            self.weights.of_network(path)
        else:
            # Opening it may take long, run code, or need more information: the dialog does that.
            self.ask_for_network(replace(NetworkRequest.like(network), weights=path))

    def _ask(self, title: str, offered: Callable[[], str]) -> None:
        studio = self.studio
        path, _ = QFileDialog.getOpenFileName(
            studio.places.root, title, studio.start_folder, offered()
        )
        if path:
            studio.start_folder = str(Path(path).parent)
            self.open(Path(path))

    def _takes_over(self, opening: Opening) -> bool:
        """Take over openings that need a person's leave; any other opening ends a download."""
        if opening.trusted is not None:
            ask_for_trust(self.studio, opening, opening.trusted)
            return True
        if opening.published and self._download_first is None:
            from ldam_studio.gui.opening.download_first import DownloadFirst

            self._download_first = DownloadFirst(self.studio)
        if self._download_first is None:
            return False
        if opening.published:
            self._download_first.open(opening)
        else:
            self._download_first.leave()
        return bool(opening.published)
