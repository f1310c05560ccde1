"""The menu of networks that one click opens: shipped, or with weights on this computer."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QMenu, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.sources.here import weights_here
from ldam_studio.networks.sources.request import NetworkRequest


class AtOnce(QMenu):
    """The shipped networks, and below them the others, once they are found.

    Parameters
    ----------
    ask
        Called with the request for the network that the user chose.
    """

    def __init__(self, ask: Callable[[NetworkRequest], object], parent: QWidget) -> None:
        super().__init__("Networks on This &Computer", parent)
        self.setToolTipsVisible(True)
        self._ask = ask
        self._search: Task | None = None
        for name, about in NETWORKS.items():
            self._add(name, name, about)

    def look(self) -> None:
        """Look for downloaded weights, the first time that this is called; returns at once."""
        if self._search is None:
            self._search = Task(lambda _task: weights_here())
            self._search.setObjectName("downloaded-networks")
            self._search.done.connect(self._show)
            self._search.start()

    def leave(self) -> None:
        """Abandon the search."""
        if self._search is not None:
            self._search.leave()

    def _show(self, names: tuple[str, ...]) -> None:
        if names:
            self.addSeparator()
        for name in names:
            self._add(name, short_name(name), name)

    def _add(self, name: str, text: str, tip: str) -> None:
        # In a menu, a single ampersand would mark a mnemonic.
        action = present(self.addAction(text.replace("&", "&&")))
        action.setToolTip(tip)
        action.triggered.connect(lambda _on: self._ask(NetworkRequest(name)))
