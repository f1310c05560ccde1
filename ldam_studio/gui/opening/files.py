"""Opening networks, pictures, weights and discriminators."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog, QMenu

from ldam_studio.errors import StudioError
from ldam_studio.gui.opening.drop import FileDrop
from ldam_studio.gui.opening.file_kinds import PICTURE, WEIGHTS, FileKind, kind_of
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.gui.opening.download_first import DownloadFirst
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.networks.network import Network

NETWORK = Entry(
    "open_network",
    "Open Network…",
    "Ctrl+Shift+O",
    "Look at a torchvision model or a network of your own",
)
OPEN_PICTURE = Entry(
    "open_picture", "Open PNG…", "Ctrl+O", "Open the session in an exported picture"
)
OPEN_WEIGHTS = Entry(
    "open_weights", "Open Network Weights…", "", "Look at other weights of this network"
)
DISCRIMINATOR = Entry(
    "open_discriminator",
    "Open Discriminator Weights…",
    "",
    "Use a discriminator that was saved, in place of the one in use",
)


class Files(Feature):
    """Opens what a person names, chooses or drops; whatever fails is one notice."""

    entries = (NETWORK, OPEN_WEIGHTS, DISCRIMINATOR, OPEN_PICTURE)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._download_first: DownloadFirst | None = None
        places = studio.places
        self.recent = QMenu("&Recent Networks", places.root)
        self.recent.setToolTipsVisible(True)
        pictures = partial(self._ask, "Open an exported picture", PICTURE)
        weights = partial(self._ask, "Open weights", WEIGHTS)
        places.add_to_menu(
            "File",
            places.action(NETWORK, self.ask_for_network),
            present(self.recent.menuAction()),
            places.action(OPEN_WEIGHTS, weights),
            places.action(DISCRIMINATOR, self.ask_for_discriminator),
            places.action(OPEN_PICTURE, pictures),
        )
        # Read when it is wanted: the start of the window does not wait for it.
        places.menu("File").aboutToShow.connect(self._show_recent)
        FileDrop(places.root, self.open_or_raise, lambda text: studio.notices.say(text, "danger"))
        studio.before_opening(self._takes_over)

    def leave(self) -> None:
        """Give up what is downloaded."""
        if self._download_first is not None:
            self._download_first.leave()

    # Files

    def open(self, path: Path) -> None:
        """Open a file of any kind that the studio knows."""
        try:
            self.open_or_raise(path)
        except StudioError as error:
            self.studio.notices.say(str(error), "danger")

    def open_or_raise(self, path: Path) -> None:
        """Open a file of any kind that the studio knows.

        Raises
        ------
        StudioError
            If it is of none of them, or is damaged; what runs goes on.
        """
        kind_of(path).open(self, path)

    def open_session(self, opening: Opening) -> None:
        """Open a session in place of the one that runs."""
        self.studio.open(opening)

    def open_weights(self, path: Path) -> None:
        """Look at other weights of the network in front.

        Raises
        ------
        StudioError
            If they are not weights of that network.
        """
        from ldam_studio.networks.sources.built_in import NETWORKS
        from ldam_studio.networks.sources.opening import open_network

        model = self.studio.model
        if not model.is_open:
            return
        network = model.outline.lane.network
        if network.name not in NETWORKS:
            # It may take long, run code, or need more said than a file's name.
            self.ask_for_network(
                NetworkRequest(
                    network.name,
                    path,
                    network.provenance.given_labels,
                    network.provenance.partial,
                    network.provenance.given_pixels,
                )
            )
            return
        # Moved before it is shown: nothing that the sampler uses is touched from here later.
        network = open_network(network.name, path).to(model.outline.device.name)
        self.studio.controller.set_network(network)
        self.studio.notices.say(f"Now looking at the weights in {path.name}.")

    def _ask(self, title: str, kind: FileKind) -> None:
        path, _ = QFileDialog.getOpenFileName(self.studio.places.root, title, "", kind.filter)
        if path:
            self.open(Path(path))

    def _takes_over(self, opening: Opening) -> bool:
        """Ask before weights are downloaded that a file names; another opening ends that."""
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

    # Networks

    def ask_for_network(self, request: NetworkRequest | None = None) -> NetworkDialog:
        """Ask for a network, or open one that was asked for before."""
        from ldam_studio.gui.network_dialog.ask import ask_for_network

        return ask_for_network(self.studio.places.root, self._open_network, request)

    def _open_network(self, network: Network, request: NetworkRequest) -> None:
        studio = self.studio
        studio.open(network_opening(network, studio.device, studio.data))
        self.remember_network(request)

    def remember_network(self, request: NetworkRequest) -> None:
        """Put a network at the head of the recent ones."""
        try:
            self.studio.recent.add(request)
        except StudioError as error:
            self.studio.notices.say(str(error), "warning")

    def _show_recent(self) -> None:
        requests = self.studio.recent.read()
        self.recent.clear()
        for number, request in enumerate(requests, 1):
            # What a person named may have ampersands, which are marks of mnemonics here.
            text = f"&{number}  {request.title.replace('&', '&&')}"
            action = present(self.recent.addAction(text))
            action.setToolTip("\n".join(str(t) for t in (request.name, request.weights) if t))
            action.triggered.connect(lambda _on, request=request: self.ask_for_network(request))
        self.recent.setEnabled(bool(requests))

    # Discriminators

    def ask_for_discriminator(self) -> None:
        """Ask for a discriminator's weights and use them."""
        path, _ = QFileDialog.getOpenFileName(
            self.studio.places.root, "Open a discriminator's weights", "", WEIGHTS.filter
        )
        if path:
            try:
                self.open_discriminator(Path(path))
            except StudioError as error:
                self.studio.notices.say(str(error), "danger")

    def open_discriminator(self, path: Path) -> None:
        """Use a saved discriminator.

        Raises
        ------
        StudioError
            If the file is damaged, or for another architecture; the one in use stays.
        """
        from ldam_studio.networks.discriminators import discriminator_for, open_discriminator

        model = self.studio.model
        if not model.is_open:
            return
        network = model.outline.lane.network
        name = discriminator_for(network)
        if name is None:
            raise StudioError(f"There is no discriminator for {network.name} yet.")
        self.studio.controller.set_discriminator(open_discriminator(name, path))
        self.studio.notices.say(f"Now using the discriminator in {path.name}.")
