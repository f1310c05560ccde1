"""The dialog that asks which checkpoints to watch, and for which network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.engine.watching.opening import open_watched
from ldam_studio.errors import StudioError
from ldam_studio.files import expanded
from ldam_studio.gui.control_names import in_window
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.path_row import PathRow
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.checkpoint_folder import check_kind
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES
from ldam_studio.progress import StageWords

if TYPE_CHECKING:
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network

KINDS = f"Checkpoints ({' '.join(f'*{suffix}' for suffix in WEIGHTS_SUFFIXES)});;All files (*)"
HINT = (
    "Choose the folder to which a training writes its checkpoints, or a single file that it "
    "overwrites. If the network is not listed, open it first, then watch its checkpoints."
)


class WatchDialog(FittingDialog):
    """Asks for a folder or file, and a network; when accepted, they are in `place` and `network`.

    `network` is None if the current network was chosen.

    Parameters
    ----------
    in_front
        Name of the current network; None if there is none.
    requests
        Other networks that the user can choose.
    """

    def __init__(
        self,
        in_front: str | None,
        requests: tuple[NetworkRequest, ...],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Watch Checkpoints")
        self.place: Path | None = None
        self.network: Network | None = None
        self._task: Task | None = None
        self.path = QLineEdit()
        self.path.setPlaceholderText("Folder or file")
        self.path.setAccessibleName("Folder or file of checkpoints")
        self.path.textChanged.connect(lambda _text: self._changed())
        self.which = QuietCombo()
        self.which.setAccessibleName("Network")
        if in_front is not None:
            self.which.addItem(f"{short_name(in_front)}, which is open", None)
        for request in requests:
            self.which.addItem(request.title, request)
        self.which.currentIndexChanged.connect(lambda _at: self._changed())
        self.note = Paragraph(HINT)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.watch = present(buttons.addButton("Watch", QDialogButtonBox.ButtonRole.ActionRole))
        self.watch.setDefault(True)
        self.watch.clicked.connect(lambda _on: self.go())
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(14)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        label = QLabel("&Checkpoints")
        label.setBuddy(self.path)
        form.addRow(label, self._place_row())
        form.addRow("&Network", self.which)
        layout = QVBoxLayout()
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.lay_out(layout, buttons, lines=38)
        self._changed()

    def _place_row(self) -> PathRow:
        row = PathRow(self.path, self._choose_folder, "Folder…", "Choose a folder")
        row.add_button(self._choose_file, "File…", "Choose a file")
        return row

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of checkpoints", self.path.text())
        if path:
            self.path.setText(path)

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Checkpoint", self.path.text(), KINDS)
        if path:
            self.path.setText(path)

    def suggest(self, place: Path, network: str) -> None:
        """Fill in a folder or file, and the network of this name if it is listed."""
        self.path.setText(str(place))
        for at in range(self.which.count()):
            request = self.which.itemData(at)
            if request is not None and request.name == network:
                self.which.setCurrentIndex(at)
                return

    def go(self) -> None:
        """Open the chosen network if necessary, then accept the dialog."""
        if self._task is not None:
            return
        try:
            self.place = checked_place(self.path.text())
        except StudioError as error:
            self.say(self.note, str(error), "danger")
            return
        request = self.which.currentData()
        if request is None:
            self.accept()
            return
        self._task = Task(partial(_open, request, self.place))
        self._task.setObjectName("watch-opener")
        self._task.done.connect(self._on_opened)
        self._task.failed.connect(self._on_failed)
        words = StageWords()
        self._task.staged.connect(
            lambda stage: self.say(
                self.note, f"Opening {request.title}: {words.of(stage)} …", "muted"
            )
        )
        self.say(self.note, f"Opening {request.title} …", "muted")
        self._show_buttons()
        self._task.start()

    def _on_opened(self, network: Network) -> None:
        self._leave_task()
        self.network = network
        self.accept()

    def _on_failed(self, error: StudioError) -> None:
        self._leave_task()
        self.say(self.note, in_window(str(error)), "danger")
        self._show_buttons()

    def _changed(self) -> None:
        self._leave_task()
        self.say(self.note, HINT, "muted")
        self._show_buttons()

    def _show_buttons(self) -> None:
        said = bool(self.path.text().strip()) and self.which.count() > 0
        self.watch.setEnabled(said and self._task is None)

    def _leave_task(self) -> None:
        if self._task is not None:
            self._task.leave()
            self._task = None

    def done(self, result: int) -> None:
        """Close the dialog, and abandon the opening of a network."""
        self._leave_task()
        super().done(result)


def checked_place(text: str) -> Path:
    """Return the folder or file that was typed.

    Raises
    ------
    StudioError
        If it does not exist, or is not a file of weights.
    """
    place = expanded(text.strip())
    if not place.exists():
        raise StudioError(f"There is no folder or file {place}; check the path.")
    check_kind(place)
    return place.absolute()


def ask_what_to_watch(
    studio: Studio, chosen: Callable[[Path, Network | None], object]
) -> WatchDialog:
    """Show the dialog without blocking the window; `chosen` is called with place and network."""
    model = studio.model
    requests = [NetworkRequest(name) for name in NETWORKS]
    # Networks that run code need the user's permission, for which only their own dialog asks.
    requests += [r for r in studio.recent.read() if not r.runs_code]
    dialog = WatchDialog(
        model.outline.lane.network.name if model.is_open else None,
        tuple(dict.fromkeys(requests)),
        studio.places.root,
    )
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: chosen(present(dialog.place), dialog.network))
    dialog.open()
    return dialog


def _open(request: NetworkRequest, place: Path, _task: Task) -> Network:
    # A set of weights was chosen in another file.
    options = replace(request.options, weights_key=None)
    return open_watched(request.name, place, options, request.weights)
