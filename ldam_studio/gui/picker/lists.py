"""Lists of neurons from the whole network: inputs of a neuron, starred and recent neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    pyqtSignal,
)
from PyQt6.QtGui import QFont, QKeyEvent, QPainter, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListView,
    QSizePolicy,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.qt import ENTER, present
from ldam_studio.gui.theme import theme
from ldam_studio.networks.neurons import Neuron

Role = Qt.ItemDataRole
ENTRY = Role.UserRole
_ROOT = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
PADDING = 6


@dataclass(frozen=True)
class Entry:
    """A neuron in a list, with its texts.

    Attributes
    ----------
    neuron
        The neuron.
    title, value
        Texts at the left and at the right of the first line.
    detail
        Text of the second line; empty for a single line.
    share
        Length of a bar, from -1 to 1, whose colour shows the sign; None for no bar.
    """

    neuron: Neuron
    title: str
    detail: str = ""
    value: str = ""
    share: float | None = None

    @property
    def spoken(self) -> str:
        """The text for screen readers and the tool tip."""
        detail = self.detail.replace("\u2192", "feeds most")
        return ", ".join(text for text in (self.title, self.value, detail) if text)


class NeuronList(QListView):
    """A list that also emits what the user does with the keyboard."""

    stepped = pyqtSignal(QModelIndex)  # the user moved to an item, or pressed Enter on it
    confirmed = pyqtSignal(QModelIndex)  # the user pressed Enter on an item

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(80)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the current item in sight when a panel below takes some of the height."""
        current = self.currentIndex()
        was = QRect(QPoint(), present(event).oldSize())
        seen = current.isValid() and was.intersects(self.visualRect(current))
        super().resizeEvent(event)
        if seen:
            self.scrollTo(current)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move in the list, then emit where it is now."""
        before = self.currentIndex()
        confirms = present(event).key() in ENTER
        if not confirms:
            super().keyPressEvent(event)
        now = self.currentIndex()
        if now.isValid() and (now != before or confirms):
            self.stepped.emit(now)
        if now.isValid() and confirms:
            self.confirmed.emit(now)


class EntryModel(QAbstractListModel):
    """A list of entries; that of the neuron which the chains show is bold."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self._shown: Neuron | None = None

    def fill(self, entries: Sequence[Entry], shown: Neuron | None) -> None:
        """Show these entries."""
        if (tuple(entries), shown) == (self._entries, self._shown):
            return
        self.beginResetModel()
        self._entries, self._shown = tuple(entries), shown
        self.endResetModel()

    def neuron_at(self, row: int) -> Neuron:
        """Return the neuron in a row."""
        return self._entries[row].neuron

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return how many entries there are."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Return the value of an item for one of Qt's roles."""
        entry = self._entries[index.row()]
        shown = entry.neuron == self._shown
        if role == Role.DisplayRole:
            return entry.title
        if role == ENTRY:
            return entry
        if role == Role.AccessibleTextRole:
            return f"{entry.spoken}, shown" if shown else entry.spoken
        if role == Role.ToolTipRole:
            return entry.spoken
        if role == Role.FontRole and shown:
            font = QFont()
            font.setBold(True)
            return font
        return None


class EntryDelegate(QStyledItemDelegate):
    """Paints an entry in two lines: title and value, then the detail, with a bar below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return a size for one line or two."""
        lines = 2 if index.data(ENTRY).detail else 1
        return QSize(80, lines * option.fontMetrics.height() + 2 * PADDING)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one entry on the list's own background."""
        painter = present(painter)
        self.initStyleOption(option, index)
        entry: Entry = index.data(ENTRY)
        option.text = ""
        present(present(option.widget).style()).drawControl(
            QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget
        )
        look = theme.current()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        first, second = ("on_accent", "on_accent") if selected else ("text", "muted")
        metrics = option.fontMetrics
        area = option.rect.adjusted(PADDING + 2, PADDING - 1, -PADDING - 2, 0)
        line = QRect(area.left(), area.top(), area.width(), metrics.height())
        value = metrics.horizontalAdvance(entry.value)
        room = line.width() - (value + 10 if value else 0)
        painter.save()
        painter.setFont(option.font)
        painter.setPen(look.colour(first))
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(line, _LEFT, title)
        painter.drawText(line, _RIGHT, entry.value)
        if entry.detail:
            line.translate(0, metrics.height())
            painter.setPen(look.colour(second))
            detail = metrics.elidedText(entry.detail, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, _LEFT, detail)
        if entry.share is not None:
            bar = QRect(line.left(), option.rect.bottom() - 3, line.width(), 2)
            painter.fillRect(bar, look.colour("outline"))
            bar.setWidth(round(abs(entry.share) * line.width()))
            colour = "on_accent" if selected else "accent" if entry.share > 0 else "warning"
            painter.fillRect(bar, look.colour(colour))
        painter.restore()


class EntryPage(QWidget):
    """A list of entries below a heading, or a text while it is empty.

    The arrow keys only move in the list; Enter or a click chooses.
    """

    chosen = pyqtSignal(object)  # Neuron

    def __init__(self, name: str) -> None:
        super().__init__()
        self.model = EntryModel(self)
        self.list = NeuronList(name)
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.clicked.connect(self._choose)
        self.list.confirmed.connect(self._choose)
        self.head = _line("muted")
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.empty = _line("empty")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self._pages = QStackedLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addLayout(self._pages, 1)
        # Only now: a page without a parent would open a window of its own.
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.empty)

    def fill(self, entries: Sequence[Entry], shown: Neuron | None, head: str, empty: str) -> None:
        """Show entries under the heading `head`, or the text `empty` if there are none."""
        self.model.fill(entries, shown)
        self.head.setText(head)
        self.head.setToolTip(head)
        self.head.setVisible(bool(head and entries))
        self.empty.setText(empty)
        self._pages.setCurrentIndex(0 if entries else 1)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.neuron_at(index.row()))


def _line(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
