"""The dialog that asks for a network and its weights, loads it, and shows its facts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.gui.network_dialog.card import NetworkCard
from ldam_studio.gui.network_dialog.class_choice import ClassChoice
from ldam_studio.gui.network_dialog.input_form import InputForm
from ldam_studio.gui.network_dialog.source import (
    BUILT_IN,
    CODE,
    LIBRARY,
    NetworkSource,
    list_models,
)
from ldam_studio.gui.network_dialog.weights_form import WeightsForm
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task
from ldam_studio.networks.pixels import UnknownInputError
from ldam_studio.networks.sources.classes import name_classes
from ldam_studio.networks.sources.families import family_of, short_name
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.choice import WeightsChoice

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

LABELS = "Text (*.txt);;All files (*)"
OWN_WEIGHTS = {
    BUILT_IN: "those that come with the program",
    LIBRARY: "the published ones, downloaded once",
    CODE: "those of the returned module",
}
WAITING = {
    BUILT_IN: "Load it to see what it is.",
    LIBRARY: "Choose a model and load it to see what it is.",
    CODE: "Choose a file and a function, agree to run it, and load it.",
}


class NetworkDialog(QDialog):
    """Asks for a network and loads it on a thread; when accepted, it is in `network`.

    Errors are shown in the dialog. Closing the dialog abandons a load that has not finished.

    Parameters
    ----------
    request
        The network to fill in; None shows the published models.
    title, verb
        Title of the dialog, and text of the button that accepts it.
    """

    def __init__(
        self,
        request: NetworkRequest | None = None,
        parent: QWidget | None = None,
        *,
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
        self._filling = False
        self._asked_of = ""  # the source that does not tell its input format
        self._build()
        if request is None:
            self.source.choose(LIBRARY)
        else:
            self.set_request(request)
        self.source.page.setFocus()

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.source = NetworkSource()
        self.choice = WeightsForm()
        self.weights = self.choice.file
        self.labels = self._path("Labels file")
        self.labels.setPlaceholderText("class names, one a line, or imagenet; optional")
        self.partial = self.choice.partial
        self.steady = QCheckBox("Without its randomness: no dropout, other random numbers fixed")
        self.steady.setToolTip(
            "For networks that draw random numbers when they are run, also in evaluation mode"
        )
        self.classes = ClassChoice()
        self.input = InputForm()
        self._form = QFormLayout()
        self._form.setVerticalSpacing(10)
        self._form.setHorizontalSpacing(14)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow("Weights", self.choice.row)
        self._form.addRow("", self.choice)
        self._form.addRow("Set", self.choice.sets)
        self._labels_row = PathRow(self.labels, self._browse, name="Browse for labels")
        self._form.addRow("Labels", self._labels_row)
        self._form.addRow("Classes", self.classes)
        self._form.addRow("Input", self.input)
        self._form.addRow("", self.steady)
        self.card = NetworkCard()
        self.card.stopped.connect(self.stop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.load_button = QPushButton("Load")
        self.open_button = present(
            buttons.addButton(self._verb, QDialogButtonBox.ButtonRole.AcceptRole)
        )
        # The platform orders the buttons that end the dialog; Load is not one of them.
        below = QHBoxLayout()
        below.addWidget(self.load_button)
        below.addStretch(1)
        below.addWidget(buttons)
        self.load_button.clicked.connect(lambda _on: self.load())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._upper = QWidget()
        upper = QVBoxLayout(self._upper)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(14)
        upper.addWidget(self.source, 1)
        upper.addLayout(self._form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 12)
        layout.setSpacing(14)
        layout.addWidget(self._upper, 1)
        layout.addWidget(self.card)
        layout.addLayout(below)
        self.source.changed.connect(self._source_changed)
        self.input.changed.connect(self._changed)
        self.choice.changed.connect(self._changed)
        self.choice.set_chosen.connect(self._set_chosen)
        self.classes.chosen.connect(self._class_layer_chosen)
        self.steady.toggled.connect(self._changed)
        line = self.fontMetrics().height()
        self.setMinimumWidth(38 * line)
        self.source.library.list.setMinimumHeight(8 * line)
        self.source.built_in.list.setMinimumHeight(8 * line)

    def _path(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.textChanged.connect(self._changed)
        return field

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Labels", self.labels.text(), LABELS)
        if path:
            self.labels.setText(path)

    # -- what is asked for ---------------------------------------------------------------------

    def set_request(self, request: NetworkRequest) -> None:
        """Fill in a network; the user has to agree again before code is run."""
        self._filling = True
        self.source.set_name(request.name)
        self.choice.fill(WeightsChoice(request.weights, request.weights_key, request.random_seed))
        self.labels.setText("" if request.labels is None else str(request.labels))
        self.partial.setChecked(request.partial)
        self.steady.setChecked(request.steady)
        self.classes.give(request.class_layer)
        self.input.give(request.pixels)
        self._filling = False
        self._changed()

    def wish(self) -> NetworkRequest:
        """Return the request that is filled in; raises `StudioError` if the input is invalid."""
        weights, labels = self.choice.choice, _file(self.labels)
        partial = self.partial.isChecked() and weights.file is not None
        built_in = self.source.kind == BUILT_IN
        return NetworkRequest(
            self.source.name,
            weights.file,
            labels,
            partial,
            None if built_in else self.input.pixels(),
            self.steady.isChecked() and not built_in,
            class_layer=None if built_in else self.classes.layer,
            weights_key=weights.key,
            random_seed=weights.seed,
        )

    def _source_changed(self) -> None:
        """Reset the input if the user was asked for that of another source, and did not answer."""
        if not self._filling and not self.input.is_chosen and self.source.name != self._asked_of:
            self._filling = True
            self.input.from_source()
            self._filling = False
        self._changed()

    def _changed(self) -> None:
        """Forget the loaded network, because the request has changed."""
        if self._filling:
            return
        self._leave_task()
        self.network = self.request = None
        kind = self.source.kind
        self.weights.setPlaceholderText(OWN_WEIGHTS[kind])
        self._form.setRowVisible(self.choice.sets, self.choice.has_sets)
        self.classes.offer(None)
        for row in (self.input, self.steady, self.classes):
            self._form.setRowVisible(row, kind != BUILT_IN)
        ready = self.source.ready
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
        self._opens_itself = and_open
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
        self._filling = True
        if not self.input.preset.currentIndex():
            self.input.fill(network.pixels)
        self.choice.offer(network)
        self._form.setRowVisible(self.choice.sets, self.choice.has_sets)
        self._filling = False
        self.classes.offer(network)
        self.card.show_network(network)
        self._show_buttons()
        self.open_button.setFocus()
        if self._opens_itself:
            self.accept()

    def _class_layer_chosen(self) -> None:
        """Take the classes of the loaded network from another layer."""
        network, request = self.network, self.request
        if network is None or request is None:
            self._changed()
            return
        try:
            name_classes(network, request.labels, self.classes.layer, network.labels)
        except StudioError as error:
            self._changed()
            self.card.show_error(str(error))
            return
        self.request = replace(request, class_layer=self.classes.layer)
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
        self._asked_of = self.source.name
        self._filling = True
        self.input.ask()
        self._filling = False
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
        loading, loaded = self.is_loading, self.network is not None
        self._upper.setEnabled(not loading)
        self.load_button.setEnabled(self.source.ready and not loading and not loaded)
        self.open_button.setEnabled(loaded)
        # Enter does the next thing.
        self.load_button.setDefault(not loaded)
        self.open_button.setDefault(loaded)

    def done(self, result: int) -> None:
        """Close the dialog, and abandon loading."""
        self._leave_task()
        self.source.library.leave()
        super().done(result)


def _open(wish: NetworkRequest, task: Task) -> Network:
    if family_of(wish.name).is_library:
        list_models()  # imports the library in a way that does not freeze the window
    return wish.open(task.progress)


def _file(field: QLineEdit) -> Path | None:
    text = field.text().strip()
    return Path(text).expanduser() if text else None
