"""Showing the dialog over a window that goes on running."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.qt import present
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.request import NetworkRequest

Opened = Callable[[Network, NetworkRequest], object]


def ask_for_network(
    parent: QWidget, opened: Opened, request: NetworkRequest | None = None
) -> NetworkDialog:
    """Ask for a network; `opened` gets what came of it.

    With a `request` the network is loaded and opened at once, unless that runs code, which has to
    be agreed to first.
    """
    dialog = NetworkDialog(request, parent)
    _show(dialog, opened)
    if request is not None:
        dialog.load(and_open=True)
    return dialog


def ask_for_comparison(parent: QWidget, opened: Opened, request: NetworkRequest) -> NetworkDialog:
    """Ask what is put beside the network in front, beginning with a `request`."""
    dialog = NetworkDialog(request, parent, title="Compare With", verb="Compare")
    _show(dialog, opened)
    return dialog


def _show(dialog: NetworkDialog, opened: Opened) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: opened(present(dialog.network), present(dialog.request)))
    dialog.open()
