"""Opens networks: by the dialog, which remembers what was filled in, and by two menus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from ldam_studio.errors import StudioError
from ldam_studio.gui.opening.at_once import AtOnce
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.tips import as_tip
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.gui.network_dialog.draft import Draft
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network


class OpenNetwork(QObject):
    """Opens a session with a network that the user chooses.

    `at_once` is the menu of networks on this computer, `recent` that of the last ones opened.
    """

    def __init__(self, studio: Studio) -> None:
        root = studio.places.root
        super().__init__(root)
        self._studio = studio
        self._draft: Draft | None = None  # what was last filled in in the dialog
        self.at_once = AtOnce(self.ask, root)
        self.recent = QMenu("&Recent Networks", root)
        self.recent.setToolTipsVisible(True)
        # The lists are read when the menu opens, so that they do not delay the start.
        studio.places.menu("File").aboutToShow.connect(self._show_recent)
        studio.places.menu("File").aboutToShow.connect(self.at_once.look)

    def leave(self) -> None:
        """Abandon the search for networks on this computer."""
        self.at_once.leave()

    def ask(self, request: NetworkRequest | None = None) -> NetworkDialog:
        """Show the dialog that opens a network; a `request` is loaded at once."""
        from ldam_studio.gui.network_dialog.ask import ask_for_network

        root, draft = self._studio.places.root, self._draft
        dialog = ask_for_network(root, self._open, request, draft=draft)
        if request is None and draft is None:
            self._suggest_own_code(dialog)
        dialog.finished.connect(lambda _result: self._keep_draft(dialog))
        return dialog

    def _keep_draft(self, dialog: NetworkDialog) -> None:
        self._draft = dialog.draft or self._draft

    def _suggest_own_code(self, dialog: NetworkDialog) -> None:
        """Fill in the network that is open, if it is code of the user's own."""
        if self._studio.model.is_open:
            open_now = NetworkRequest.same(self._studio.model.outline.lane.network)
            if open_now.runs_code:
                dialog.set_request(open_now)

    def _open(self, network: Network, request: NetworkRequest) -> None:
        studio = self._studio
        studio.open(network_opening(network, studio.device, studio.data))
        self.remember(request)

    def remember(self, request: NetworkRequest) -> None:
        """Put a network at the top of the list of recent networks."""
        try:
            self._studio.recent.add(request)
        except StudioError as error:
            self._studio.notices.say(str(error), "warning")

    def _show_recent(self) -> None:
        requests = self._studio.recent.read()
        self.recent.clear()
        for number, request in enumerate(requests, 1):
            # In a menu, a single ampersand would mark a mnemonic.
            text = f"&{number}  {request.title.replace('&', '&&')}"
            action = present(self.recent.addAction(text))
            named = "\n".join(str(t) for t in (request.name, request.weights) if t)
            action.setToolTip(as_tip(named))
            action.triggered.connect(lambda _on, request=request: self.ask(request))
        self.recent.setEnabled(bool(requests))
