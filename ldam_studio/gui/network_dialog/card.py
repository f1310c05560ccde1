"""The lower part of the dialog: the progress of loading a network, an error, or its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.control_names import in_window
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.lanes import weights_words
from ldam_studio.gui.theme import icons
from ldam_studio.progress import Stage, StageWords

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.pixels import PixelSpec

NAMED = 3  # classes that are named as examples
MEGABYTE = 1e6


class NetworkCard(QFrame):
    """Shows one of four pages of the same size: a text, progress, an error, or a network."""

    stopped = pyqtSignal()
    told = pyqtSignal()  # it shows what a person waits for

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName("Loaded network")
        self.words = Paragraph()
        self.words.setProperty("role", "muted")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.doing = QLabel()
        self.doing.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress")
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(10)
        self.stop = QPushButton("Stop")
        self.stop.setAutoDefault(False)
        self.stop.clicked.connect(self.stopped)
        self.error = Paragraph()
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words = StageWords()
        self._seconds = QTimer(self)
        self._seconds.setInterval(1000)
        self._seconds.timeout.connect(self._on_second)
        self._sign = QLabel()
        self.facts: dict[str, QLabel] = {}
        self._pages = QStackedLayout(self)
        self._idle = self._page(_column(self.words))
        self._busy = self._page(self._progress())
        self._wrong = self._page(self._complaint())
        self._known = self._page(self._table())

    def _page(self, layout: QVBoxLayout | QHBoxLayout | QFormLayout) -> QWidget:
        page = QWidget()
        page.setLayout(layout)
        layout.setContentsMargins(14, 10, 14, 10)
        self._pages.addWidget(page)
        return page

    def _progress(self) -> QVBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop)
        column = _column(self.doing)
        column.insertLayout(2, row)
        return column

    def _complaint(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        self._draw_sign()
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.error, 1)
        return row

    def _table(self) -> QFormLayout:
        form = self._facts_form = QFormLayout()
        form.setVerticalSpacing(5)
        form.setHorizontalSpacing(14)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        for name in ("Architecture", "Input", "Outputs", "Layers", "Weights", "Notes"):
            title, value = QLabel(name), Paragraph()
            title.setProperty("role", "muted")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(name)
            form.addRow(title, value)
            self.facts[name] = value
        return form

    # -- what is shown ---------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Show what the user can do next."""
        self.words.setText(text)
        self._pages.setCurrentWidget(self._idle)

    def show_loading(self, text: str) -> None:
        """Show that something is being loaded, with a progress bar without an end."""
        self._words = StageWords()
        self.doing.setText(text)
        self.bar.setRange(0, 0)
        self._tell(self._busy)
        self._seconds.start()

    def show_stage(self, stage: Stage) -> None:
        """Show what is done at the moment, how much of it, and how long that takes."""
        self._say_doing(self._words.of(stage))
        self.bar.setRange(0, stage.total)
        self.bar.setValue(stage.done)

    def _say_doing(self, words: str) -> None:
        if words:
            self.doing.setText(f"{words[:1].upper()}{words[1:]} …")

    def _on_second(self) -> None:
        if self._pages.currentWidget() is self._busy:
            self._say_doing(self._words.now())
        else:
            self._seconds.stop()

    def show_progress(self, had: int, size: int) -> None:
        """Show the progress of a download: bytes received, and bytes in all (0 if unknown)."""
        self._words = StageWords()
        self.doing.setText(f"Downloading the weights: {size_words(had, size)}")
        # Qt counts in 32 bits.
        self.bar.setRange(0, 1000 if size else 0)
        self.bar.setValue(int(1000 * had / size) if size else 0)

    def show_error(self, sentence: str) -> None:
        """Show an error."""
        self.error.setText(in_window(sentence))
        self._tell(self._wrong)

    def show_network(self, network: Network) -> None:
        """Show the facts about a network that has been loaded."""
        parameters = sum(p.numel() for p in network.module.parameters())
        neurons = sum(layer.neurons for layer in network.layers)
        weights = weights_words(network) or "its own"
        texts = {
            "Architecture": f"{type(network.module).__name__}, {parameters:,} parameters",
            "Input": input_words(network.pixels),
            "Outputs": output_words(network),
            "Layers": f"{len(network.layers):,} with {neurons:,} neurons; the last is "
            f"{network.layers[-1].name}",
            "Weights": f"{weights}, SHA-256 {network.own_sha256[:16]}…",
            "Notes": in_window("\n".join(network.provenance.notes)),
        }
        for name, text in texts.items():
            self.facts[name].setText(text)
            self.facts[name].setAccessibleName(f"{name}: {text}")
        self._facts_form.setRowVisible(self.facts["Notes"], bool(network.provenance.notes))
        whole = "" if network.weights is None else f"{network.weights}\n"
        self.facts["Weights"].setToolTip(f"{whole}SHA-256 {network.own_sha256}")
        self._tell(self._known)

    def _tell(self, page: QWidget) -> None:
        self._pages.setCurrentWidget(page)
        self.told.emit()

    @property
    def sentence(self) -> str:
        """The error that is shown; empty if none is."""
        return self.error.text() if self._pages.currentWidget() is self._wrong else ""

    # -- looks -----------------------------------------------------------------------------------

    def _draw_sign(self) -> None:
        size = self.fontMetrics().height() + 4
        pixmap = icons.icon("warning").pixmap(QSize(size, size), self.devicePixelRatioF())
        self._sign.setPixmap(pixmap)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the icon again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self._draw_sign()


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addStretch(1)
    column.addWidget(widget)
    column.addStretch(1)
    return column


def size_words(had: int, size: int) -> str:
    """Return the progress of a download of `size` bytes (0 if unknown) in megabytes."""
    of = f" of {size / MEGABYTE:,.1f}" if size else ""
    return f"{had / MEGABYTE:,.1f}{of} MB"


def input_words(pixels: PixelSpec) -> str:
    """Return a network's input format in one line."""

    def numbers(values: tuple[float, ...]) -> str:
        return ", ".join(f"{v:g}" for v in (values[:1] if len(set(values)) == 1 else values))

    return (
        f"{pixels.channels} × {pixels.height} × {pixels.width}; mean {numbers(pixels.mean)}; "
        f"std {numbers(pixels.std)}; rest {pixels.rest:g}"
        + (f"; shown {', '.join(map(str, pixels.shown))}" if pixels.shown else "")
    )


def output_words(network: Network) -> str:
    """Return the number of a network's outputs, and the first classes' names."""
    outputs = network.class_layer.neurons
    beside = network.beside_classes
    of = f" in {network.class_words}" if beside else ""
    others = f"; {beside}" if beside else ""
    if not network.labels:
        return (f"{outputs:,} without names" if outputs > 1 else "1 without a name") + of + others
    first = ", ".join(network.labels[:NAMED])
    more = ", …" if outputs > NAMED else ""
    return f"{outputs:,} classes{of}: {first}{more}{others}"
