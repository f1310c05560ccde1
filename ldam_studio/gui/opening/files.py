"""The entries of the File menu that open networks, pictures, weights and discriminators."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog, QMenu

from ldam_studio.errors import StudioError, plain
from ldam_studio.gui.control_names import in_window
from ldam_studio.gui.opening.at_once import AtOnce
from ldam_studio.gui.opening.drop import REFUSED, FileDrop
from ldam_studio.gui.opening.file_kinds import WEIGHTS, filters, kind_of, picture_opening
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.gui.tips import as_tip
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.gui.network_dialog.draft import Draft
    from ldam_studio.gui.opening.download_first import DownloadFirst
    from ldam_studio.gui.opening.open_saved import OpenSaved
    from ldam_studio.gui.opening.show_picture import ShowPicture
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network

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

MOST_NAMED, MOST_LETTERS = 3, 120
"""Names from a picture in one question, and letters of each."""


class Files(Feature):
    """Opens files that the user chooses or drops; each failure is one message."""

    entries = (NETWORK, OPEN_WEIGHTS, DISCRIMINATOR, OPEN_FILE, OPEN_ATLAS, OPEN_LINK)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._download_first: DownloadFirst | None = None
        self._weights: Task | None = None
        self._draft: Draft | None = None  # what was last filled in in the dialog
        self._show_picture: ShowPicture | None = None
        self._open_saved: OpenSaved | None = None
        places = studio.places
        self.at_once = AtOnce(self.ask_for_network, places.root)
        self.recent = QMenu("&Recent Networks", places.root)
        self.recent.setToolTipsVisible(True)
        any_file = partial(self._ask, "Open a file", filters)
        weights = partial(self._ask, "Open weights", lambda: WEIGHTS.filter)
        places.add_to_menu(
            "File",
            places.action(NETWORK, self.ask_for_network),
            present(self.at_once.menuAction()),
            present(self.recent.menuAction()),
            places.action(OPEN_WEIGHTS, weights),
            places.action(DISCRIMINATOR, self.ask_for_discriminator),
            places.action(OPEN_FILE, any_file),
            places.action(OPEN_ATLAS, self.ask_for_atlas),
            places.action(OPEN_LINK, self.ask_for_link),
        )
        # The list is read when the menu opens, so that it does not delay the start.
        places.menu("File").aboutToShow.connect(self._show_recent)
        places.menu("File").aboutToShow.connect(self.at_once.look)
        refuse = partial(studio.notices.say, kind="danger", key=REFUSED)
        FileDrop(places.root, self.open_or_raise, refuse, places.light_up)
        studio.before_opening(self._takes_over)
        studio.show_picture = self.show_picture
        studio.picture_opening = partial(picture_opening, _device=studio.device)

    def leave(self) -> None:
        """Abandon a download, and what is being read or replayed."""
        self._leave_weights()
        self.at_once.leave()
        for work in (self._download_first, self._show_picture, self._open_saved):
            if work is not None:
                work.leave()

    # Files

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

    def open_session(self, opening: Opening) -> None:
        """Replace the running session by a new one."""
        self.studio.open(opening)

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
        if network.name not in NETWORKS:
            # Opening it may take long, run code, or need more information: the dialog does that.
            self.ask_for_network(replace(NetworkRequest.like(network), weights=path))
            return
        # It is moved to the device there, because the sampler's thread uses it from then on.
        device = model.outline.device.name
        self._read(partial(_with_weights, network.name, path, device), self._take_weights)

    def _read(self, work: Callable[[Task], object], take: Callable[..., object]) -> None:
        """Read weights on a thread of its own, and take what becomes of them."""
        self._leave_weights()
        self._weights = Task(work)
        self._weights.setObjectName("weights-reader")
        self._weights.done.connect(take)
        self._weights.failed.connect(self._refuse_weights)
        self._weights.start()

    def _take_weights(self, network: Network) -> None:
        self._leave_weights()
        model = self.studio.model
        # Meanwhile another session may have been opened.
        if model.is_open and model.outline.lane.network.name == network.name:
            self.studio.controller.set_network(network)
            name = present(network.weights).name
            self.studio.notices.say(f"The network now has the weights in {name}.")

    def _refuse_weights(self, error: StudioError) -> None:
        self._leave_weights()
        self.studio.notices.say(in_window(str(error)), "danger", key=REFUSED)

    def _leave_weights(self) -> None:
        if self._weights is not None:
            self._weights.leave()
            self._weights = None

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
            self._ask_for_trust(opening, opening.trusted)
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

    def _ask_for_trust(self, opening: Opening, trusted: Opening) -> None:
        """Ask for leave to run code, or read files, that only a picture names.

        The current session continues.
        """
        trusted = replace(trusted, preset=opening.preset)
        if opening.code:
            said = (
                f"{opening.title} was made with code from outside this program, "
                f"{_listed(opening.code)}. Opening it runs that code with all your rights: open "
                "only what you trust."
            )
            if opening.files:
                said += f" It also reads {_listed(opening.files)}."
            offer = "I trust this code: run it"
        else:
            files = _listed(opening.files)
            said = f"{opening.title} was made with files that are not beside it: {files}."
            offer = "Read them"
        self.studio.notices.say(
            said, "warning", actions=((offer, partial(self.studio.open, trusted)),), key="trust"
        )

    # Networks

    def ask_for_network(self, request: NetworkRequest | None = None) -> NetworkDialog:
        """Show the dialog that opens a network; a `request` is loaded at once."""
        from ldam_studio.gui.network_dialog.ask import ask_for_network

        root, draft = self.studio.places.root, self._draft
        dialog = ask_for_network(root, self._open_network, request, draft=draft)
        if request is None and draft is None:
            self._suggest_own_code(dialog)
        dialog.finished.connect(lambda _result: self._keep_draft(dialog))
        return dialog

    def _keep_draft(self, dialog: NetworkDialog) -> None:
        self._draft = dialog.draft or self._draft

    def _suggest_own_code(self, dialog: NetworkDialog) -> None:
        """Fill in the network that is open, if it is code of the user's own."""
        if self.studio.model.is_open:
            network = self.studio.model.outline.lane.network
            given = network.provenance
            open_now = replace(
                NetworkRequest.like(network),
                weights=given.weights,
                weights_key=given.weights_key,
                random_seed=given.random_seed,
            )
            if open_now.runs_code:
                dialog.set_request(open_now)

    def _open_network(self, network: Network, request: NetworkRequest) -> None:
        studio = self.studio
        studio.open(network_opening(network, studio.device, studio.data))
        self.remember_network(request)

    def remember_network(self, request: NetworkRequest) -> None:
        """Put a network at the top of the list of recent networks."""
        try:
            self.studio.recent.add(request)
        except StudioError as error:
            self.studio.notices.say(str(error), "warning")

    def _show_recent(self) -> None:
        requests = self.studio.recent.read()
        self.recent.clear()
        for number, request in enumerate(requests, 1):
            # In a menu, a single ampersand would mark a mnemonic.
            text = f"&{number}  {request.title.replace('&', '&&')}"
            action = present(self.recent.addAction(text))
            named = "\n".join(str(t) for t in (request.name, request.weights) if t)
            action.setToolTip(as_tip(named))
            action.triggered.connect(lambda _on, request=request: self.ask_for_network(request))
        self.recent.setEnabled(bool(requests))

    # Discriminators

    def ask_for_discriminator(self) -> None:
        """Ask for a file with a discriminator's weights, and use them."""
        path, _ = QFileDialog.getOpenFileName(
            self.studio.places.root, "Open a discriminator's weights", "", WEIGHTS.filter
        )
        if path:
            try:
                self.open_discriminator(Path(path))
            except StudioError as error:
                self.studio.notices.say(str(error), "danger")

    def open_discriminator(self, path: Path) -> None:
        """Use a saved discriminator, which is read on a thread of its own.

        Raises
        ------
        StudioError
            If there is none for this network. What is wrong with the file is said when it was read.
        """
        from ldam_studio.networks.discriminators import discriminator_for, open_discriminator

        network = self.studio.model.outline.lane.network
        name = discriminator_for(network)
        if name is None:
            raise StudioError(f"There is no discriminator for {network.name} yet.")
        take = partial(self._take_discriminator, path, network)
        self._read(lambda _task: open_discriminator(name, path), take)

    def _take_discriminator(self, path: Path, network: Network, model: DiscriminatorModel) -> None:
        self._leave_weights()
        # Meanwhile another session may have been opened.
        if self.studio.model.is_open and self.studio.model.outline.lane.network is network:
            self.studio.controller.set_discriminator(model)
            self.studio.notices.say(f"The session now uses the discriminator in {path.name}.")


def _listed(names: Sequence[str]) -> str:
    """Return names in a sentence; of many, the first ones."""
    some = [plain(name, MOST_LETTERS) for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        some.append(f"{len(names) - MOST_NAMED:,} more")
    return " and ".join(some)


def _with_weights(name: str, path: Path, device: str, _task: Task) -> Network:
    from ldam_studio.networks.sources.opening import open_network

    return open_network(name, path).to(device)
