"""Help shows the guide: every page opens, links and pictures work, and words are found."""

from __future__ import annotations

import time

import pytest
from PyQt6.QtCore import QObject, Qt, QUrl, pyqtSlot
from PyQt6.QtGui import QDesktopServices, QKeySequence, QTextBlock, QTextTable
from PyQt6.QtWidgets import QApplication

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.gui.fitting_dialog import MARGIN
from ldam_studio.gui.help import pages
from ldam_studio.gui.help.browser import IMAGE, IMAGE_WIDTH
from ldam_studio.gui.help.dialog import HelpDialog
from ldam_studio.gui.theme import theme
from ldam_studio.gui.window.entries import entries
from ldam_studio.sampler.settings import SETTINGS


@pytest.fixture
def dialog(qtbot, qapp):
    theme.apply(qapp, "dark")
    made = HelpDialog()
    qtbot.addWidget(made)
    made.resize(900, 700)
    yield made
    theme.apply(qapp, "dark")


def shown(dialog: HelpDialog) -> str:
    return dialog.browser.toPlainText()


def blocks(dialog: HelpDialog) -> list[QTextBlock]:
    found, block = [], dialog.browser.document().begin()
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def fragments(dialog: HelpDialog) -> list:
    found = []
    for block in blocks(dialog):
        place = block.begin()
        while not place.atEnd():
            found.append(place.fragment())
            place += 1
    return found


def click_link(dialog: HelpDialog, qtbot, target: str) -> None:
    (link,) = (f for f in fragments(dialog) if f.charFormat().anchorHref() == target)
    cursor = dialog.browser.textCursor()
    cursor.setPosition(link.position() + 1)
    dialog.browser.setTextCursor(cursor)
    dialog.browser.ensureCursorVisible()
    at = dialog.browser.cursorRect().center()
    qtbot.mouseClick(dialog.browser.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_it_opens_at_once(qtbot, qapp):
    began = time.process_time()  # of this process alone: a busy machine changes nothing
    made = HelpDialog()
    qtbot.addWidget(made)
    made.show()
    qapp.processEvents()
    assert time.process_time() - began < 0.2


def test_every_page_opens_under_its_title(dialog):
    titles = [dialog.list.item(row).text() for row in range(dialog.list.count())]
    assert titles == [page.title for page in dialog.pages]
    for page in dialog.pages:
        dialog.show_page(page.title)
        heading = blocks(dialog)[0]
        assert heading.blockFormat().headingLevel() == 1
        assert heading.text() == pages.read(page.path).split("\n")[0].removeprefix("# ")


def test_keys_and_settings_are_all_explained(dialog):
    dialog.show_page("Keys")
    for entry in entries():
        if entry.key:
            assert entry.key in shown(dialog)
            assert entry.tip in shown(dialog)
    dialog.show_page("Settings")
    for setting in SETTINGS.values():
        assert setting.label in shown(dialog)
        assert setting.help in shown(dialog)


def test_pictures_are_shown_and_fit(dialog):
    dialog.show()
    dialog.show_page("First steps")
    names = [f.charFormat().toImageFormat().name() for f in fragments(dialog) if IMAGE in f.text()]
    assert names == ["../readme/studio.png"]
    picture = dialog.browser.loadResource(2, dialog.browser.source().resolved(QUrl(names[0])))
    assert picture.width() == IMAGE_WIDTH
    assert picture.height() > 300
    dialog.show_page("What was measured")
    assert dialog.browser.loadResource(2, QUrl("../readme/cifar10.png")).width() > 100
    assert dialog.browser.loadResource(2, QUrl("../readme/photographs.webp")).width() > 100


def test_it_takes_the_size_that_a_page_needs_if_the_screen_has_it(qtbot, qapp):
    theme.apply(qapp, "dark")
    made = HelpDialog()
    qtbot.addWidget(made)
    made.show()
    room = made.screen().availableSize() - MARGIN
    assert made.size() == made.sizeHint().boundedTo(room)
    assert made.width() > room.width() * 2 / 3  # what Qt would allow
    made.resize(500, 400)
    made.hide()
    made.show()
    assert (made.width(), made.height()) == (500, 400)


def test_a_link_leads_to_another_page_and_back(dialog, qtbot):
    dialog.show()
    dialog.show_page("Settings")
    click_link(dialog, qtbot, "method.md")
    assert shown(dialog).startswith("The method")
    assert dialog.list.currentItem().text() == "The method"
    dialog.back.click()
    assert dialog.list.currentItem().text() == "Settings"
    assert shown(dialog).startswith("Settings")


def test_a_page_beside_the_guide_opens_too(dialog, qtbot):
    dialog.show()
    dialog.show_page("Networks for photographs")
    click_link(dialog, qtbot, "../../models/natural-discriminator.md")
    assert "Recipe" in shown(dialog)
    assert dialog.browser.path().resolve() == asset("models", "natural-discriminator.md")


class Elsewhere(QObject):
    """Stands for the system's browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @pyqtSlot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


def test_other_links_open_in_the_system_s_browser(dialog, qtbot):
    elsewhere = Elsewhere()
    QDesktopServices.setUrlHandler("https", elsewhere, "open")
    try:
        dialog.show()
        dialog.show_page("Citing")
        assert elsewhere.opened == []
        click_link(dialog, qtbot, "https://arxiv.org/abs/1812.04604")
        assert elsewhere.opened == ["https://arxiv.org/abs/1812.04604"]
        assert shown(dialog).startswith("Citing")
    finally:
        QDesktopServices.unsetUrlHandler("https")


def test_words_are_searched_in_all_pages(dialog, qtbot):
    dialog.show()
    qtbot.keyClicks(dialog.search, "lightning")
    hidden = [dialog.list.isRowHidden(row) for row in range(dialog.list.count())]
    assert hidden.count(False) == 1
    assert dialog.list.currentItem().text() == "Watching a training"
    assert dialog.browser.textCursor().selectedText().lower() == "lightning"
    first = dialog.browser.textCursor().position()
    qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.browser.textCursor().position() > first
    assert dialog.isVisible()
    dialog.search.clear()
    qtbot.keyClicks(dialog.search, "zzz")
    assert all(dialog.list.isRowHidden(row) for row in range(dialog.list.count()))


def test_the_last_place_is_followed_by_the_first(dialog, qtbot):
    dialog.show()
    qtbot.keyClicks(dialog.search, "bidmach")
    first = dialog.browser.textCursor().position()
    places = dialog.browser.toPlainText().lower().count("bidmach")
    for _ in range(places):
        qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.browser.textCursor().position() == first


def test_find_goes_to_the_search_field(dialog, qtbot):
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    qtbot.keySequence(dialog, QKeySequence(QKeySequence.StandardKey.Find))
    assert dialog.search.hasFocus()


def test_the_citation_can_be_copied(dialog):
    dialog.show()
    assert not dialog.copy_bibtex.isVisible()
    dialog.show_page("Citing")
    assert dialog.copy_bibtex.isVisible()
    dialog.copy_bibtex.click()
    assert QApplication.clipboard().text().startswith("@article{jiang2018diagnostic")
    assert "1812.04604" in QApplication.clipboard().text()
    assert "1812.04604" in shown(dialog)
    assert "Canny" in shown(dialog)


@pytest.mark.parametrize("look", ["dark", "light"])
def test_it_does_not_block_the_studio_and_follows_the_look(dialog, qapp, look):
    theme.apply(qapp, "light" if look == "dark" else "dark")
    dialog.show()
    dialog.show_page("Your own network")
    assert not dialog.isModal()
    colours = theme.apply(qapp, look)
    code = next(b for b in blocks(dialog) if b.text() == "# mine.py")
    assert code.blockFormat().background().color().name() == colours.raised
    link = next(f for f in fragments(dialog) if f.charFormat().anchorHref() == "photographs.md")
    assert link.charFormat().foreground().color().name() == colours.accent
    frames = dialog.browser.document().rootFrame().childFrames()
    tables = [frame for frame in frames if isinstance(frame, QTextTable)]
    assert tables
    for table in tables:
        assert table.format().borderBrush().color().name() == colours.outline


def test_a_page_that_is_missing_is_one_sentence(dialog, tmp_path):
    with pytest.raises(StudioError, match=r"gone\.md cannot be read"):
        pages.read(tmp_path / "gone.md")
    dialog.browser.show_page(tmp_path / "gone.md")
    assert "install LDAM Studio again" in shown(dialog)
