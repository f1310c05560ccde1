"""A dialog that is never larger than the screen: its body scrolls, its buttons stay visible."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QDialog, QLabel, QLayout, QScrollArea, QVBoxLayout, QWidget

from ldam_studio.gui.qt import present, restyle

MARGIN = QSize(32, 64)  # what the frame of a window and the edge of the screen take
SIDE, SPACING = 16, 14


class FittingDialog(QDialog):
    """Grows with what it shows, as far as the screen allows; beyond that, its body scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = 0
        self._wanted: QWidget | None = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._scroll)
        self._content = QWidget()
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self._content)
        self._content.installEventFilter(self)

    def lay_out(self, body: QLayout, below: QWidget | QLayout, lines: int = 0) -> None:
        """Fill the dialog.

        Parameters
        ----------
        body
            What scrolls where there is too little room.
        below
            What stays visible: the buttons.
        lines
            Width that the dialog has at least, in heights of a line, where the screen allows it.
        """
        self._lines = lines
        body.setContentsMargins(SIDE, SIDE, SIDE, 0)
        self._content.setLayout(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self._area, 1)
        row = QVBoxLayout()
        row.setContentsMargins(SIDE, 0, SIDE, 12)
        if isinstance(below, QLayout):
            row.addLayout(below)
        else:
            row.addWidget(below)
        column.addLayout(row)

    def say(self, note: QLabel, text: str, role: str) -> None:
        """Show a sentence in a part of the body, in the colour of its role; reveal an error."""
        note.setText(text)
        note.setProperty("role", role)
        restyle(note)
        if role == "danger":
            self.reveal(note)

    def reveal(self, widget: QWidget) -> None:
        """Scroll until a part of the body is visible, once its size is known."""
        self._wanted = widget
        self._later.start()

    def _scroll(self) -> None:
        widget = present(self._wanted)
        top = widget.mapTo(self._content, widget.rect().topLeft()).y()
        bar = present(self._area.verticalScrollBar())
        lowest = top + widget.height() + SPACING - present(self._area.viewport()).height()
        bar.setValue(min(max(bar.value(), lowest), top - SPACING))

    # -- size ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Return the size at which all of the body is visible, or what the screen has room for."""
        return self._needed(0)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the size that is needed; Qt itself allows a window two thirds of the screen."""
        if not present(event).spontaneous():
            self.resize(self._needed(0))
        super().showEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Grow when the body needs more room than before."""
        if watched is self._content and present(event).type() == QEvent.Type.LayoutRequest:
            if self.isVisible():
                self._grow()
        return super().eventFilter(watched, event)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Scroll to what gets the focus by the keyboard."""
        moved = super().focusNextPrevChild(next)
        focused = self.focusWidget()
        if focused is not None and self._content.isAncestorOf(focused):
            self._area.ensureWidgetVisible(focused, SIDE, SIDE)
        return moved

    def _needed(self, width: int) -> QSize:
        """Return the size that all needs at this width; 0 for a comfortable one."""
        layout, room = self.layout(), self._room()
        if layout is None:
            return super().sizeHint()
        content, around = self._content.sizeHint(), layout.sizeHint() - self._area.sizeHint()
        if not width:
            least = self._lines * self.fontMetrics().height()
            width = max(content.width(), least, layout.sizeHint().width())
        width = min(max(width, self._content.minimumSizeHint().width()), room.width())
        height = self._content.heightForWidth(width)
        height = content.height() if height < 0 else height
        return QSize(width, height + around.height()).boundedTo(room)

    def _room(self) -> QSize:
        return present(self.screen()).availableGeometry().size() - MARGIN

    def _grow(self) -> None:
        size = self.size().expandedTo(self._needed(self.width()))
        if size == self.size():
            return
        self.resize(size)
        frame, room = self.frameGeometry(), present(self.screen()).availableGeometry()
        frame.moveRight(min(frame.right(), room.right()))
        frame.moveBottom(min(frame.bottom(), room.bottom()))
        frame.moveLeft(max(frame.left(), room.left()))
        frame.moveTop(max(frame.top(), room.top()))
        if frame.topLeft() != self.pos():
            self.move(frame.topLeft())
