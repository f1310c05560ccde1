"""The tab with a photograph: the image, the units that answer, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.one_line import OneLine
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.preview import Preview
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.explore.photograph.answers import LayerAnswers

Label = TypeVar("Label", bound=QLabel)

MOST_CLASSES = 2000
NEURON = Qt.ItemDataRole.UserRole
HEADS = ("Unit", "Unusual", "Value", "Above")
TIPS = (
    "The unit; a click shows it",
    "By how many of its own standard deviations it answers more than usual",
    "Its activation, as a mean over all places",
    "The share of reference images in which it answers less",
)


class PhotographPanel(QWidget):
    """Shows a photograph and the units that answer to it."""

    chosen = pyqtSignal(object)  # Neuron
    asked = pyqtSignal()  # for a photograph
    started = pyqtSignal()
    pushed = pyqtSignal(str)  # to a class's name, its number, or an address
    released = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Photograph")
        self._answers: tuple[LayerAnswers, ...] = ()
        self._preview = Preview(fixed=False)
        self._preview.setAccessibleName("The photograph as the network sees it")
        self._preview.setMinimumWidth(72)
        self._caption = _muted(OneLine())
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self._preview, 1)
        left.addWidget(self._caption)

        self.layers = QuietCombo()
        self.layers.setAccessibleName("Layer")
        self.layers.setToolTip(
            "Layers of which it is known how active they are on real images; to see all, index "
            "some in the tab Real Images"
        )
        self.layers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.layers.setMinimumWidth(90)
        self.layers.currentIndexChanged.connect(self._show_layer)
        self._compared = _muted(OneLine())
        self.units = QTreeWidget()
        self.units.setAccessibleName("Units that answer")
        self.units.setHeaderLabels(HEADS)
        for column, tip in enumerate(TIPS):
            present(self.units.headerItem()).setToolTip(column, tip)
        self.units.setRootIsDecorated(False)
        self.units.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = present(self.units.header())
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            present(self.units.headerItem()).setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        self.units.setUniformRowHeights(True)
        self.units.itemClicked.connect(self._choose)
        self.units.itemActivated.connect(self._choose)
        self._waiting = _muted(Paragraph())
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._list = QStackedLayout()
        self._list.addWidget(self._waiting)
        self._list.addWidget(self.units)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.layers, 1)
        top.addWidget(self._compared, 2)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addLayout(top)
        middle.addLayout(self._list, 1)

        self._says = Paragraph()
        self._now = Paragraph()
        self._start = QPushButton("Start from it")
        self._start.setToolTip("Let all chains begin at the photograph")
        self._start.clicked.connect(lambda _on: self.started.emit())
        self.target = QuietCombo()
        self.target.setAccessibleName("Class or neuron to push to")
        self.target.setEditable(True)
        self.target.setInsertPolicy(QuietCombo.InsertPolicy.NoInsert)
        self.target.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        completer = present(self.target.completer())
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._push = QPushButton("Push to")
        self._push.setToolTip(
            "Let all chains leave from the photograph to this class, with L2 pulling back"
        )
        push = partial(self._emit_push)
        self._push.clicked.connect(lambda _on: push())
        present(self.target.lineEdit()).returnPressed.connect(push)
        self._release = QPushButton("Release")
        self._release.setToolTip("Let L2 pull towards the rest colour again")
        self._release.clicked.connect(lambda _on: self.released.emit())
        self._release.hide()
        another = QPushButton("Another…")
        another.setToolTip("Open another photograph")
        another.clicked.connect(lambda _on: self.asked.emit())
        to = QHBoxLayout()
        to.setSpacing(4)
        to.addWidget(self._push)
        to.addWidget(self.target, 1)
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self._start, 1)
        first.addWidget(self._release)
        first.addWidget(another)
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addWidget(self._says)
        right.addWidget(self._now)
        right.addStretch(1)
        right.addLayout(first)
        right.addLayout(to)

        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(10)
        row.addLayout(left, 2)
        row.addLayout(middle, 5)
        row.addLayout(right, 4)

    def show_picture(self, picture: Bytes | None, caption: str) -> None:
        """Show the photograph as the network sees it (H, W, 3), with its name."""
        self._preview.show_image(picture)
        self._caption.setText(caption)
        self._caption.setToolTip(as_tip(caption))
        for widget in (self._start, self._push, self.target):
            widget.setEnabled(picture is not None)

    def show_classes(self, labels: Sequence[str], likely: int | None) -> None:
        """Offer the classes to which the photograph can be pushed; `likely` is chosen at first."""
        self.target.clear()
        self.target.addItems(list(labels[:MOST_CLASSES]))
        self.target.setCurrentIndex(-1 if likely is None or likely >= len(labels) else likely)

    def show_waiting(self, text: str) -> None:
        """Show a sentence in place of the units."""
        self._answers = ()
        self.layers.clear()
        self._compared.clear()
        self._says.setText("")
        self._waiting.setText(text)
        self._list.setCurrentWidget(self._waiting)

    def show_answers(self, answers: tuple[LayerAnswers, ...], chosen: int, says: str) -> None:
        """Show which units answer, at first those of the layer number `chosen`."""
        self._answers = ()
        self.layers.clear()
        self.layers.addItems([layer.layer for layer in answers])
        self._answers = answers
        self._says.setText(says)
        self.layers.setCurrentIndex(chosen)
        self._show_layer(chosen)
        self._list.setCurrentWidget(self.units)

    def show_pull(self, on: bool) -> None:
        """Show whether L2 pulls towards a picture."""
        self._release.setVisible(on)
        if not on:
            self._now.setText("")

    def show_now(self, text: str) -> None:
        """Show what the network says of the average that is pulled."""
        self._now.setText(text)

    def _show_layer(self, index: int) -> None:
        if not 0 <= index < len(self._answers):
            return
        layer = self._answers[index]
        against = "against" if layer.is_real else "only against"
        words = f"{against} {layer.compared_with}"
        self._compared.setText(words)
        self._compared.setToolTip(as_tip(words))
        self._compared.setProperty("role", "muted" if layer.is_real else "warning")
        style = present(self._compared.style())
        style.unpolish(self._compared)
        style.polish(self._compared)
        self.units.setColumnHidden(3, all(unit.below is None for unit in layer.units))
        self.units.clear()
        for unit in layer.units:
            below = "" if unit.below is None else f"{100 * min(unit.below, 0.999):.1f} %"
            row = QTreeWidgetItem([unit.label, f"{unit.z:+.1f} σ", f"{unit.value:.3g}", below])
            row.setData(0, NEURON, unit.neuron)
            row.setToolTip(0, as_tip(str(unit.neuron)))
            for column in (1, 2, 3):
                row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
            self.units.addTopLevelItem(row)

    def _choose(self, row: QTreeWidgetItem, _column: int) -> None:
        self.chosen.emit(row.data(0, NEURON))

    def _emit_push(self) -> None:
        text = self.target.currentText().strip()
        if text:
            self.pushed.emit(text)


def _muted(label: Label) -> Label:
    label.setProperty("role", "muted")
    return label
