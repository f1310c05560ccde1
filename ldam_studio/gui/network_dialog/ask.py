"""Shows the dialog that opens a network, without blocking the window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.network_dialog.draft import Draft
from ldam_studio.gui.qt import present
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.request import NetworkRequest

Opened = Callable[[Network, NetworkRequest], object]


def ask_for_network(
    parent: QWidget,
    opened: Opened,
    request: NetworkRequest | None = None,
    *,
    draft: Draft | None = None,
) -> NetworkDialog:
    """Show the dialog that opens a network, and return it.

    Parameters
    ----------
    opened
        Called with the network and the request for it once the user accepts the dialog.
    request
        A network to load and open at once, without further input. If that runs code, the user has
        to agree first. None for no network.
    draft
        What the dialog shows otherwise.
    """
    dialog = NetworkDialog(request, parent, draft=draft)
    _show(dialog, opened)
    if request is not None:
        dialog.load(and_open=True)
    return dialog


def ask_for_comparison(parent: QWidget, opened: Opened, request: NetworkRequest) -> NetworkDialog:
    """Show the dialog for the network to compare with, filled in with a `request`; return it."""
    dialog = NetworkDialog(request, parent, title="Compare With", verb="Compare")
    _show(dialog, opened)
    return dialog


def ask_for_judge(parent: QWidget, opened: Opened, request: NetworkRequest) -> NetworkDialog:
    """Show the dialog for a judge of the same classes, filled in with a `request`; return it."""
    dialog = NetworkDialog(request, parent, title="Open Judge", verb="Open")
    _show(dialog, opened)
    return dialog


def _show(dialog: NetworkDialog, opened: Opened) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: opened(present(dialog.network), present(dialog.request)))
    dialog.open()
