"""The dialog that asks for a network and its weights, loads it, and shows its facts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QDialogButtonBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.network_dialog.card import NetworkCard
from ldam_studio.gui.network_dialog.draft import Draft, draft_of, fill_in
from ldam_studio.gui.network_dialog.request_form import RequestForm
from ldam_studio.gui.network_dialog.source import BUILT_IN, CODE, LIBRARY, list_models
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task
from ldam_studio.networks.pixels import UnknownInputError
from ldam_studio.networks.sources.classes import name_classes
from ldam_studio.networks.sources.families import family_of, short_name
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

WAITING = {
    BUILT_IN: "Open it, or load it to see what it is.",
    LIBRARY: "Choose a model and load it to see what it is.",
    CODE: "Choose a file and a function, agree to run it, and load it.",
}


class NetworkDialog(FittingDialog):
    """Asks for a network and loads it on a thread; when accepted, it is in `network`.

    Errors are shown in the dialog. Closing the dialog abandons a load that has not finished.

    Parameters
    ----------
    request
        The network to fill in; None shows the draft.
    draft
        What was filled in before; None shows the published models.
    title, verb
        Title of the dialog, and text of the button that accepts it.
    """

    def __init__(
        self,
        request: NetworkRequest | None = None,
        parent: QWidget | None = None,
        *,
        draft: Draft | None = None,
        title: str = "Open Network",
        verb: str = "Open",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._verb = verb
        self.network: Network | None = None
        self.request: NetworkRequest | None = None
        self._task: Task | None = None
        self._opens_itself = False
        self._accepts = False  # whether the dialog is accepted as soon as the network is loaded
        self._build()
        if request is not None:
            self.set_request(request)
        elif draft is not None:
            fill_in(self.form, draft)
        else:
            self.source.choose(LIBRARY)
        self.source.page.setFocus()

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.form = RequestForm()
        self.source, self.input, self.choice = self.form.source, self.form.input, self.form.choice
        self.card = NetworkCard()
        self.card.stopped.connect(self.stop)
        self.card.told.connect(partial(self.reveal, self.card))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.load_button = QPushButton("Load")
        # Opens what was loaded, and a network of the program at once.
        self.open_button = present(
            buttons.addButton(self._verb, QDialogButtonBox.ButtonRole.AcceptRole)
        )
        # The platform orders the buttons that end the dialog; Load is not one of them.
        below = QHBoxLayout()
        below.addWidget(self.load_button)
        below.addStretch(1)
        below.addWidget(buttons)
        self.load_button.clicked.connect(lambda _on: self.load())
        buttons.accepted.connect(self._open_now)
        self.source.built_in.opened.connect(self._open_now)
        buttons.rejected.connect(self.reject)
        self._body = QVBoxLayout()
        self._body.setSpacing(14)
        self._body.addWidget(self.form)
        self._body.addWidget(self.card)
        self.lay_out(self._body, below, lines=38)
        self.form.changed.connect(self._changed)
        self.choice.set_chosen.connect(self._set_chosen)
        self.form.classes.chosen.connect(self._class_layer_chosen)

    # -- what is asked for ---------------------------------------------------------------------

    def set_request(self, request: NetworkRequest) -> None:
        """Fill in a network; the user has to agree again before code is run."""
        self.form.fill(request)

    def wish(self) -> NetworkRequest:
        """Return the request that is filled in; raises `StudioError` if the input is invalid."""
        return self.form.wish()

    @property
    def draft(self) -> Draft | None:
        """What is filled in; None where a dialog was only there to load a network at once."""
        return None if self._opens_itself else draft_of(self.form)

    def _changed(self) -> None:
        """Forget the loaded network, because the request has changed."""
        self._leave_task()
        self.network = self.request = None
        kind = self.source.kind
        # What can use more room gets it: a list, else the facts.
        self._body.setStretchFactor(self.form, int(kind != CODE))
        self._body.setStretchFactor(self.card, int(kind == CODE))
        ready = self.source.ready and kind != BUILT_IN
        self.card.say("Load it to see what it is." if ready else WAITING[kind])
        self._show_buttons()

    def _set_chosen(self) -> None:
        """Load the network again with another set of weights of the same file."""
        self._changed()
        self.load()

    # -- loading -------------------------------------------------------------------------------

    def load(self, *, and_open: bool = False) -> None:
        """Load the requested network; with `and_open`, accept the dialog once it is loaded."""
        if not self.source.ready or self._task is not None:
            return
        try:
            wish = self.wish().absolute()
        except StudioError as error:
            self.card.show_error(str(error))
            return
        self._opens_itself = self._accepts = and_open
        self.request = wish
        self._task = Task(partial(_open, wish))
        self._task.setObjectName("network-loader")
        self._task.done.connect(self._on_loaded)
        self._task.failed.connect(self._on_failed)
        self._task.progressed.connect(self.card.show_progress)
        self._task.staged.connect(self.card.show_stage)
        self.card.show_loading(f"Loading {short_name(wish.name)} …")
        self._show_buttons()
        self.card.stop.setFocus()
        self._task.start()

    def stop(self) -> None:
        """Abandon loading."""
        self._leave_task()
        self.card.say("Loading was stopped.")
        self._show_buttons()

    @property
    def is_loading(self) -> bool:
        """Whether a network is being loaded."""
        return self._task is not None

    def _on_loaded(self, network: Network) -> None:
        self._leave_task()
        self.network = network
        self.form.understand(network)
        self.card.show_network(network)
        self._show_buttons()
        self.open_button.setFocus()
        if self._accepts:
            self.accept()

    def _open_now(self) -> None:
        if self.network is not None:
            self.accept()
        else:
            self.load()
            self._accepts = True

    def _class_layer_chosen(self) -> None:
        """Take the classes of the loaded network from another layer."""
        network, request = self.network, self.request
        if network is None or request is None:
            self._changed()
            return
        try:
            name_classes(network, request.labels, self.form.classes.layer, network.labels)
        except StudioError as error:
            self._changed()
            self.card.show_error(str(error))
            return
        self.request = replace(request, class_layer=self.form.classes.layer)
        self.card.show_network(network)

    def _on_failed(self, error: StudioError) -> None:
        self._leave_task()
        self.request = None
        self._show_buttons()
        if isinstance(error, UnknownInputError):
            self._ask_for_input()
        else:
            self.card.show_error(str(error))

    def _ask_for_input(self) -> None:
        self.form.ask_for_input()
        self.card.show_error(
            "The code does not say what images its network takes: choose this under Input and load "
            "it again, or give the module an attribute pixels."
        )

    def ask_for_input(self) -> None:
        """Ask for the input format of a network whose code the user has already agreed to run."""
        self.source.code.agreed.setChecked(True)
        self._ask_for_input()

    def _leave_task(self) -> None:
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _show_buttons(self) -> None:
        loading = self.is_loading
        # What belongs to the program needs no second look before it is opened.
        known = self.source.kind == BUILT_IN and not loading
        loaded = self.network is not None
        self.form.setEnabled(not loading)
        self.load_button.setEnabled(self.source.ready and not loading and not loaded)
        self.open_button.setEnabled(loaded or known)
        # Enter does the next thing.
        self.load_button.setDefault(not (loaded or known))
        self.open_button.setDefault(loaded or known)

    def done(self, result: int) -> None:
        """Close the dialog, and abandon loading."""
        self._leave_task()
        self.source.library.leave()
        super().done(result)


def _open(wish: NetworkRequest, task: Task) -> Network:
    if family_of(wish.name).is_library:
        list_models()  # imports the library in a way that does not freeze the window
    network = wish.open(task.progress)
    _ = network.own_sha256  # remembered, because hashing large weights would freeze the window
    return network
