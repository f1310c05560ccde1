"""Help that cannot fall behind: keys from the actions, settings from their one description."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QApplication, QPushButton, QTabWidget

from ldam_studio.gui.theme import colours, theme
from ldam_studio.gui.window.help_dialog import METHOD, HelpDialog
from ldam_studio.sampler.settings import SETTINGS


@pytest.fixture
def dialog(qtbot, qapp):
    melt, quiet, export = QAction("&Melt"), QAction("No key"), QAction("E&xport PNG…")
    melt.setShortcut("K")
    melt.setToolTip("Multiply the temperature by 100 for 60 steps <and restore it>")
    export.setShortcuts([QKeySequence("Ctrl+E"), QKeySequence("Ctrl+Shift+E")])
    made = HelpDialog([melt, quiet, export])
    qtbot.addWidget(made)
    yield made
    theme.apply(qapp, "dark")


def test_every_action_with_a_key_is_listed(dialog):
    keys = dialog.text("Keys")
    for words in ("K", "Melt", "<and restore it>", "Ctrl+E or Ctrl+Shift+E", "Export PNG"):
        assert words in keys
    assert "No key" not in keys
    assert "&" not in keys


def test_every_setting_is_explained(dialog):
    text = dialog.text("Settings")
    for setting in SETTINGS.values():
        assert setting.label in text
        assert setting.help in text


def test_the_method_takes_five_sentences(dialog):
    assert len(METHOD) == 5
    assert all(sentence in dialog.text("Method") for sentence in METHOD)
    assert all(sentence.count(".") == 1 for sentence in METHOD)


def test_the_citation_can_be_copied(dialog):
    dialog.show()
    tabs = dialog.findChild(QTabWidget)
    copy = next(b for b in dialog.findChildren(QPushButton) if "BibTeX" in b.text())
    assert not copy.isVisible()
    tabs.setCurrentIndex(tabs.count() - 1)
    assert copy.isVisible()
    copy.click()
    assert "1812.04604" in QApplication.clipboard().text()
    assert "1812.04604" in dialog.text("Cite")
    assert "Canny" in dialog.text("Cite")


def test_it_does_not_block_the_studio_and_follows_the_look(dialog, qapp):
    dialog.show()
    assert not dialog.isModal()
    theme.apply(qapp, "light")
    assert colours.LIGHT.accent in dialog.findChild(QTabWidget).widget(0).toHtml()
