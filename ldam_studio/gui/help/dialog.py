"""The help window: a list of the guide's pages, the current page, and a search."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent, QTextCursor
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.fitting_dialog import MARGIN
from ldam_studio.gui.help import pages
from ldam_studio.gui.help.browser import GuideBrowser
from ldam_studio.gui.qt import present


class HelpDialog(QDialog):
    """A window of its own that stays open beside the studio.

    A page is read when it is shown; all pages are read for a search.

    Raises
    ------
    StudioError
        If the installation lacks the guide.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help")
        self.pages = pages.contents()
        self.browser = GuideBrowser()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search the guide")
        self.search.setAccessibleName("Search the guide")
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Pages")
        self.list.addItems([page.title for page in self.pages])
        self._nothing = QLabel("No page has these words.")
        self._nothing.setProperty("role", "muted")
        self._nothing.hide()
        self.back = QPushButton("Back")
        self.back.setEnabled(False)
        self.copy_bibtex = QPushButton("Copy BibTeX")

        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self.list)
        column.addWidget(self._nothing)
        self._splitter = QSplitter()
        self._splitter.addWidget(left)
        self._splitter.addWidget(self.browser)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setChildrenCollapsible(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in (self.back, self.copy_bibtex):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        for button in buttons.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter in the search field must not press a button
        layout = QVBoxLayout(self)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(buttons)

        buttons.rejected.connect(self.close)
        self.back.clicked.connect(self.browser.backward)
        self.browser.backwardAvailable.connect(self.back.setEnabled)
        self.copy_bibtex.clicked.connect(self._copy_bibtex)
        self.list.currentRowChanged.connect(self._chosen)
        self.browser.sourceChanged.connect(self._turned)
        self.search.textEdited.connect(self._filter)
        self.search.returnPressed.connect(self._find_next)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self).activated.connect(
            self._go_to_search
        )
        self.list.setCurrentRow(0)
        self.list.setFocus()

    def sizeHint(self) -> QSize:
        """Return a size at which the lines of a page have a comfortable length."""
        line = self.fontMetrics().height()
        self._splitter.setSizes([14 * line, 50 * line])
        return QSize(64 * line, 44 * line)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take that size if the screen has it; Qt itself allows two thirds of the screen."""
        if not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            self.resize(self.sizeHint().boundedTo(present(self.screen()).availableSize() - MARGIN))
        super().showEvent(event)

    def show_page(self, title: str) -> None:
        """Show the page with this title."""
        self.list.setCurrentRow([page.title for page in self.pages].index(title))

    def _chosen(self, row: int) -> None:
        if row >= 0 and self.browser.path() != self.pages[row].path:
            self.browser.show_page(self.pages[row].path)

    def _turned(self) -> None:
        """Select the browser's current page in the list."""
        paths = [page.path.resolve() for page in self.pages]
        path = self.browser.path().resolve()
        if path in paths:  # other pages, such as a model card, are not listed
            self.list.setCurrentRow(paths.index(path))
        self.copy_bibtex.setVisible(bool(self.browser.code("bibtex")))

    def _filter(self) -> None:
        """List only the pages that contain all words in the search field, and show the first."""
        words = self.search.text().casefold().split()
        for row, page in enumerate(self.pages):
            text = f"{page.title} {pages.read(page.path)}".casefold() if words else ""
            present(self.list.item(row)).setHidden(not all(word in text for word in words))
        found = [row for row in range(self.list.count()) if not self.list.isRowHidden(row)]
        self._nothing.setVisible(not found)
        if found and self.list.currentRow() not in found:
            self.list.setCurrentRow(found[0])
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)
        if words:
            self.browser.find(words[0])

    def _find_next(self) -> None:
        """Go to the next occurrence on the page; after the last comes the first."""
        words = self.search.text().split()
        if words and not self.browser.find(words[0]):
            self.browser.moveCursor(QTextCursor.MoveOperation.Start)
            self.browser.find(words[0])

    def _go_to_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _copy_bibtex(self) -> None:
        present(QGuiApplication.clipboard()).setText(self.browser.code("bibtex"))
