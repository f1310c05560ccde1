"""The message bar of the window; messages have buttons and never block the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PyQt6.QtGui import QEnterEvent, QHideEvent, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Kind, Offers
from ldam_studio.gui.theme import icons

SHOWN = 2  # messages shown at once; more would leave too little height for the images
MOST = 9  # messages kept, shown or waiting; a further one replaces the oldest
NARROWEST = 340  # pixels; buttons beside a text leave it at least this width
READING_MS, LETTER_MS = 6000, 60  # time for which information stays: in all, and per letter


class Banner(QWidget):
    """Shows the most important messages, the newest at the bottom, and how many others wait.

    It lies over the upper edge of its parent, so that nothing below it moves. A message without
    buttons that only informs disappears after a while, unless the pointer is over it.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        parent.installEventFilter(self)
        self._rows: dict[str, _Row] = {}
        self._lasting: set[str] = set()  # keys of messages that `clear` keeps
        self._only_errors = self._holds = False
        self._more = QLabel()
        self._more.setProperty("banner", "more")
        self._more.setContentsMargins(12, 2, 0, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        self.setAccessibleName("Messages")
        layout.addWidget(self._more)
        self.hide()

    def say(
        self,
        text: str,
        kind: Kind = "info",
        actions: Offers = (),
        key: str = "",
        *,
        lasting: bool = False,
    ) -> None:
        """Show a message.

        Parameters
        ----------
        text
            One plain sentence: what happened, where, and what to do.
        kind
            Severity; each kind has an icon and a colour.
        actions
            Buttons, as pairs of a label and a function to call; pressing one closes the message.
        key
            Identifies the message; it replaces an earlier message with the same key. Without a
            key, the text is the key.
        lasting
            Whether `clear` keeps the message until `settle` is called.
        """
        key = key or text
        if lasting:
            self._lasting.add(key)
        old = self._rows.pop(key, None)
        if old is not None and old.says(text, kind):
            self._rows[key] = old
            return
        if old is not None:
            self._remove(old)
        if len(self._rows) >= MOST:
            # An error is dropped only if there are nothing but errors.
            mild = [k for k, row in self._rows.items() if row.kind != "danger"]
            self.dismiss(mild[0] if mild else next(iter(self._rows)))
        row = _Row(text, kind, tuple(actions), partial(self.dismiss, key), self)
        row.hold(self._holds)
        self._rows[key] = row
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.count() - 1, row)
        self._arrange()

    def show_only_errors(self, on: bool) -> None:
        """Hide all messages except errors, or show all of them again."""
        self._only_errors = on
        self._arrange()

    def retell(self, key: str, text: str) -> None:
        """Replace the text of the message with this key, if it is still shown."""
        if key in self._rows:
            self._rows[key].retell(text)

    def dismiss(self, key: str) -> None:
        """Close the message with this key (or this text, if it has no key), if there is one."""
        self._lasting.discard(key)
        row = self._rows.pop(key, None)
        if row is not None:
            self._remove(row)
        self._arrange()

    def clear(self) -> None:
        """Close all messages except the lasting ones."""
        for key in list(self._rows):
            if key not in self._lasting:
                self.dismiss(key)

    def hold(self) -> None:
        """Let no message disappear by itself until `settle` is called."""
        self._hold(True)

    def settle(self) -> None:
        """Let messages disappear, and let the next `clear` close those that are lasting now."""
        self._lasting.clear()
        self._hold(False)

    def _hold(self, on: bool) -> None:
        self._holds = on
        for row in self._rows.values():
            row.hold(on)

    def texts(self) -> tuple[str, ...]:
        """Return the texts of all messages, shown or waiting, the oldest first."""
        return tuple(row.text for row in self._rows.values())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep to the width of the parent."""
        if present(event).type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent | None) -> bool:
        """Grow and shrink with the messages."""
        done = super().event(event)
        if present(event).type() == QEvent.Type.LayoutRequest:
            self._fit()
        return done

    def _fit(self) -> None:
        layout, width = present(self.layout()), present(self.parentWidget()).width()
        for row in self._rows.values():
            row.fit(width)
        self.setGeometry(0, 0, width, layout.totalHeightForWidth(width))

    def _arrange(self) -> None:
        """Decide which messages are shown: errors first, then the newest ones.

        It is only one where two would cover more than half of the images.
        """
        for number in range(SHOWN, 0, -1):
            self._show(number)
            if self.height() <= present(self.parentWidget()).height() / 2:
                break

    def _show(self, number: int) -> None:
        rows = list(self._rows.values())
        may = [row for row in rows if row.kind == "danger" or not self._only_errors]
        shown = sorted(may, key=lambda row: (row.kind == "danger", rows.index(row)))[-number:]
        for row in rows:
            row.setVisible(row in shown)
        waiting = len(may) - len(shown)
        last = "this one" if len(shown) == 1 else "these"
        self._more.setText(f"{waiting} more message{'s' * (waiting > 1)} after {last}")
        self._more.setVisible(waiting > 0)
        self.setVisible(bool(shown))
        self._fit()
        self.raise_()

    def _remove(self, row: _Row) -> None:
        had_focus = row.isAncestorOf(present(self.window()).focusWidget())
        layout = self.layout()
        assert layout is not None
        layout.removeWidget(row)
        row.hide()
        row.deleteLater()
        if had_focus:
            # The keyboard focus must not stay on a button that no longer exists.
            self.focusNextChild()


class _Row(QFrame):
    """One message with its icon, text and buttons."""

    def __init__(
        self,
        text: str,
        kind: Kind,
        actions: tuple[tuple[str, Callable[[], object]], ...],
        close: Callable[[], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.text, self.kind, self._close = text, kind, close
        self._goes_by_itself, self._is_held = kind == "info" and not actions, False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(close)
        self.setProperty("banner", kind)
        self.setAccessibleName(f"{kind}: {text}")
        layout = self._grid = QGridLayout(self)
        layout.setContentsMargins(12, 5, 6, 5)
        layout.setSpacing(10)
        layout.setVerticalSpacing(5)
        layout.setColumnStretch(1, 1)
        sign = QLabel()
        size = self.fontMetrics().height() + 2
        self._sign = sign
        self._draw_sign()
        layout.addWidget(sign, 0, 0)
        label = self._label = Paragraph(text)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = label.sizePolicy()  # which says that the height follows from the width
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
        label.setSizePolicy(policy)
        layout.addWidget(label, 0, 1)
        self._buttons = QWidget()
        self._flow = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._buttons)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(10)
        for name, act in actions:
            button = QPushButton(name)
            button.clicked.connect(partial(self._act, act))
            self._flow.addWidget(button)
        layout.addWidget(self._buttons, 0, 2)
        self._buttons.setVisible(bool(actions))
        cross = QToolButton()
        cross.setIcon(icons.icon("close"))
        cross.setIconSize(QSize(size - 2, size - 2))
        cross.setToolTip("Close this message (Esc)")
        cross.setAccessibleName("Close this message")
        cross.clicked.connect(close)
        layout.addWidget(cross, 0, 3)
        self._beside = sign.sizeHint().width() + cross.sizeHint().width() + 12 + 6 + 2 * 10

    def fit(self, width: int) -> None:
        """Put the buttons beside the text, or below it where they would make it too narrow."""
        if self._buttons.isHidden():
            return
        self._flow.setDirection(QBoxLayout.Direction.LeftToRight)
        room, taken = width - self._beside, self._buttons.sizeHint().width()
        wanted = min(self.fontMetrics().horizontalAdvance(self.text), NARROWEST)
        if room - taken - 10 >= wanted:
            self._grid.addWidget(self._buttons, 0, 2)
            return
        if taken > room:
            self._flow.setDirection(QBoxLayout.Direction.TopToBottom)
        self._grid.addWidget(self._buttons, 1, 1, 1, 3, Qt.AlignmentFlag.AlignLeft)

    def says(self, text: str, kind: Kind) -> bool:
        """Return whether the row shows exactly this message."""
        return self.text == text and self.kind == kind

    def retell(self, text: str) -> None:
        """Replace the text."""
        self.text = text
        self._wait()
        self._label.setText(text)
        self.setAccessibleName(f"{self.kind}: {text}")

    def hold(self, on: bool) -> None:
        """Stay until this is called again."""
        self._is_held = on
        self._timer.stop()
        self._wait()

    def _wait(self) -> None:
        """Start the timer that closes the message, if it closes by itself and can be seen."""
        if self._goes_by_itself and not self._is_held and self.isVisible():
            self._timer.start(READING_MS + LETTER_MS * len(self.text))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Start the timer now that the message can be read."""
        super().showEvent(event)
        self._wait()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Stop the timer: a hidden message cannot be read."""
        super().hideEvent(event)
        self._timer.stop()

    def enterEvent(self, event: QEnterEvent | None) -> None:
        """Stop the timer while the pointer is over the message."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Start the timer again."""
        super().leaveEvent(event)
        self._wait()

    def _draw_sign(self) -> None:
        size = self.fontMetrics().height() + 2
        drawn = icons.icon("info" if self.kind == "info" else "warning")
        self._sign.setPixmap(drawn.pixmap(QSize(size, size), self.devicePixelRatioF()))

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the icon again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self._draw_sign()

    def _act(self, act: Callable[[], object]) -> None:
        self._close()
        act()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Esc."""
        if present(event).key() == Qt.Key.Key_Escape:
            self._close()
        else:
            super().keyPressEvent(event)
