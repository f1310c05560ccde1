"""The help window: the guide's pages beside their list, and a search over all of them."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QGuiApplication, QKeySequence, QShortcut, QTextCursor
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

from ldam_studio.gui.help import pages
from ldam_studio.gui.help.browser import GuideBrowser
from ldam_studio.gui.qt import present


class HelpDialog(QDialog):
    """A window of its own that stays open beside the studio.

    A page is read when it is shown, and all of them only for a search.

    Raises
    ------
    StudioError
        When the installation lacks the guide.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help - LDAM Studio")
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
            button.setAutoDefault(False)  # Enter in the search field is not for a button
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
        """Return a size at which a page's lines are as long as those of a book."""
        line = self.fontMetrics().height()
        self._splitter.setSizes([14 * line, 50 * line])
        return QSize(64 * line, 44 * line)

    def show_page(self, title: str) -> None:
        """Show the page of this title."""
        self.list.setCurrentRow([page.title for page in self.pages].index(title))

    def _chosen(self, row: int) -> None:
        if row >= 0 and self.browser.path() != self.pages[row].path:
            self.browser.show_page(self.pages[row].path)

    def _turned(self) -> None:
        """Follow the browser to the page that it shows now."""
        paths = [page.path.resolve() for page in self.pages]
        path = self.browser.path().resolve()
        if path in paths:  # a page beside the guide, such as a model card, is in no list
            self.list.setCurrentRow(paths.index(path))
        self.copy_bibtex.setVisible(bool(self.browser.code("bibtex")))

    def _filter(self) -> None:
        """List only the pages that have the words in the search field, and show the first."""
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
        """Go to the next place on the page, and from the last one to the first."""
        words = self.search.text().split()
        if words and not self.browser.find(words[0]):
            self.browser.moveCursor(QTextCursor.MoveOperation.Start)
            self.browser.find(words[0])

    def _go_to_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _copy_bibtex(self) -> None:
        present(QGuiApplication.clipboard()).setText(self.browser.code("bibtex"))
