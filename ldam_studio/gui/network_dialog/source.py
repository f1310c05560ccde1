"""The source of a network: the program itself, a library, or the user's own code."""

from __future__ import annotations

import gc

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.gui.network_dialog.code import OwnCode
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task
from ldam_studio.gui.theme import icons
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.families import family_of, libraries

BUILT_IN, LIBRARY, CODE = range(3)
LINES = 8  # of a list that are visible at least
_ARROWS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


def titles() -> tuple[str, str, str]:
    """Return the titles of the three kinds of source; the second names the installed libraries."""
    *first, last = (family.title for family in libraries() if family.is_installed)
    named = f"{', '.join(first)} and {last}" if first else last
    return "Built in", named, "Your own code"


_listed: tuple[str, ...] = ()


class NetworkSource(QWidget):
    """Offers three kinds of source, one page each; `name` is an argument for `open_network`."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.built_in, self.library, self.code = BuiltIn(), Library(), OwnCode()
        self._kinds = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(18)
        self._pages: tuple[BuiltIn | Library | OwnCode, ...] = (
            self.built_in,
            self.library,
            self.code,
        )
        for made in (self.built_in, self.library, self.code):
            made.changed.connect(self.changed)
        for number, title in enumerate(titles()):
            radio = QRadioButton(title)
            self._kinds.addButton(radio, number)
            row.addWidget(radio)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(row)
        for page in self._pages:  # not stacked: only the one that is shown takes room
            page.hide()
            layout.addWidget(page)
        self._kinds.idToggled.connect(self._turn)

    @property
    def kind(self) -> int:
        """`BUILT_IN`, `LIBRARY` or `CODE`."""
        return self._kinds.checkedId()

    def choose(self, kind: int) -> None:
        """Show the page of a kind of source."""
        present(self._kinds.button(kind)).setChecked(True)

    @property
    def name(self) -> str:
        """The network's name; empty until it is complete."""
        return self.page.name

    @property
    def page(self) -> BuiltIn | Library | OwnCode:
        """The page of the chosen kind."""
        return self._pages[max(self.kind, 0)]

    @property
    def ready(self) -> bool:
        """Whether a network is named and, if opening it runs code, the user has agreed."""
        return bool(self.name) and (self.kind != CODE or self.code.agreed.isChecked())

    def set_name(self, name: str) -> None:
        """Show a network's name on its page; the user has to agree again before code is run."""
        family = family_of(name)
        kind = LIBRARY if family.is_library else CODE if family.runs_code else BUILT_IN
        self.choose(kind)
        self.page.set_name(name)

    def _turn(self, kind: int, on: bool) -> None:
        if on:
            for number, page in enumerate(self._pages):
                page.setVisible(number == kind)
            if kind == LIBRARY:
                self.library.fill()
            self.changed.emit()


class BuiltIn(QWidget):
    """The networks that come with the program."""

    changed = pyqtSignal()
    opened = pyqtSignal()  # one was double-clicked

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName("Built-in networks")
        self.list.setMinimumHeight(LINES * self.fontMetrics().height())
        self.list.setWordWrap(True)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name, about in NETWORKS.items():
            self.list.addItem(f"{name}  ·  {about}")
        self.list.setCurrentRow(0)
        self.list.currentRowChanged.connect(lambda _row: self.changed.emit())
        self.list.itemDoubleClicked.connect(lambda _item: self.opened.emit())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.setFocusProxy(self.list)

    @property
    def name(self) -> str:
        """The chosen network's name."""
        return list(NETWORKS)[max(self.list.currentRow(), 0)]

    def set_name(self, name: str) -> None:
        """Choose a network."""
        self.list.setCurrentRow(list(NETWORKS).index(name))


class _Models(QListWidget):
    """A list that leaves what is typed to the search; Qt would also find hidden items."""

    typed = pyqtSignal(str)

    def keyboardSearch(self, search: str | None) -> None:
        """Hand on what was typed."""
        self.typed.emit(search or "")


class Library(QWidget):
    """A searchable list of the models of all installed libraries.

    Models of the first library are listed without its prefix.
    """

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._task: Task | None = None
        self._wanted = ""
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, such as resnet or squeezenet")
        self.search.setAccessibleName("Search the published models")
        self.search.setClearButtonEnabled(True)
        self.search.addAction(
            QAction(icons.icon("search"), "", self.search), QLineEdit.ActionPosition.LeadingPosition
        )
        self.search.textChanged.connect(self._searched)
        self.search.installEventFilter(self)
        self.list = _Models()
        self.list.typed.connect(self._typed)
        self.list.setAccessibleName("Published models")
        self.list.setMinimumHeight(LINES * self.fontMetrics().height())
        self.list.setUniformItemSizes(True)
        self.list.currentRowChanged.connect(lambda _row: self.changed.emit())
        self.state = Paragraph()
        self.state.setProperty("role", "muted")
        self.state.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(self.state)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.search)

    @property
    def name(self) -> str:
        """The chosen model's name; while the list is being read, the name given to `set_name`."""
        item = self.list.currentItem()
        if item is not None and item.isHidden():
            return ""
        found = self._wanted if item is None else item.text()
        with_prefix = not found or family_of(found).is_library
        return found if with_prefix else libraries()[0].prefix + found

    def set_name(self, name: str) -> None:
        """Choose a model."""
        self._wanted = name.removeprefix(libraries()[0].prefix)
        self._point()
        self.changed.emit()

    def fill(self) -> None:
        """List the models; they are read on a thread, because libraries take seconds to import."""
        if self.list.count() or self._task is not None:
            return
        if _listed:
            self._show(_listed)
            return
        self.state.setText("Reading the list of published models …")
        self.state.show()
        self._task = Task(lambda _task: list_models())
        self._task.setObjectName("torchvision-models")
        self._task.done.connect(self._show)
        self._task.failed.connect(self._fail)
        self._task.start()

    def leave(self) -> None:
        """Abandon the task that reads the list."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _show(self, names: tuple[str, ...]) -> None:
        global _listed
        _listed = names
        self.leave()
        self.state.hide()
        before = self.name
        self.list.blockSignals(True)
        self.list.addItems(names)
        self._point()
        self._searched(self.search.text())
        self.list.blockSignals(False)
        # A model given to `set_name` may be loading already: emit only if the name differs.
        if self.name != before:
            self.changed.emit()

    def _fail(self, error: StudioError) -> None:
        self.leave()
        self.state.setText(str(error))

    def _point(self) -> None:
        for item in self.list.findItems(self._wanted, Qt.MatchFlag.MatchExactly):
            self.list.setCurrentItem(item)
            self.list.scrollToItem(item)

    def _typed(self, text: str) -> None:
        self.search.setFocus()
        self.search.insert(text)

    def _searched(self, text: str) -> None:
        words = text.casefold().split()
        first = None
        for row in range(self.list.count()):
            text_here = present(self.list.item(row)).text()
            found = all(word in text_here for word in words)
            self.list.setRowHidden(row, not found)
            first = row if found and first is None else first
        here = self.list.currentRow()
        if words and (here < 0 or self.list.isRowHidden(here)):
            self._wanted = ""
            self.list.setCurrentRow(-1 if first is None else first)
        if self.list.count():
            self.state.setText(f"There is no classification model like “{text}”.")
            self.state.setVisible(first is None)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Move through the list with the arrow keys while the search field has the focus."""
        if isinstance(event, QKeyEvent) and present(event).type() == QEvent.Type.KeyPress:
            if present(event).key() in _ARROWS:
                self.list.keyPressEvent(event)
                return True
        return super().eventFilter(watched, event)


def list_models() -> tuple[str, ...]:
    """Return the names of the models of all installed libraries.

    Models of the first library are named without its prefix. Importing the libraries takes seconds,
    so call this on a thread other than the window's.

    Raises
    ------
    StudioError
        If a library cannot be imported, for example because it needs another version of torch.
    """
    installed = [family for family in libraries() if family.is_installed]
    collecting = gc.isenabled() and not all(family.is_imported for family in installed)
    # The import makes hundreds of thousands of objects that stay. Python's garbage collector would
    # examine them again and again meanwhile, and freeze the window each time.
    if collecting:
        gc.disable()
    try:
        first, *others = installed
        more = [family.prefix + name for family in others for name in family.names()]
        return (*first.names(), *more)
    finally:
        if collecting:
            gc.freeze()
            gc.enable()
