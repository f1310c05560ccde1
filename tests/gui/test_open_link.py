"""The dialog for links says what they show, and reads them while the window lives."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from PyQt6.QtGui import QGuiApplication

from gui.windows import until
from ldam_studio.errors import StudioError
from ldam_studio.gui.opening import open_link
from ldam_studio.gui.opening.open_link import EMPTY, LinkDialog
from ldam_studio.gui.stragglers import STRAGGLERS


def test_pasting_takes_the_place_of_the_link_from_the_clipboard(qtbot, monkeypatch):
    monkeypatch.setattr(open_link, "read_link", lambda _text: SimpleNamespace(words="A link"))
    QGuiApplication.clipboard().setText("ldam:1\nabc")
    dialog = LinkDialog()
    qtbot.addWidget(dialog)
    assert dialog._field.text() == dialog._field.selectedText() == "ldam:1abc"
    assert dialog._field.cursorPosition() == 0
    dialog._field.paste()
    assert dialog._field.text().count("ldam:") == 1
    QGuiApplication.clipboard().clear()
    until(qtbot, lambda: dialog._open.isEnabled())
    dialog.reject()


def test_it_says_what_a_link_shows_without_a_wait(qtbot, monkeypatch):
    threads, released = [], threading.Event()

    def read_link(text):
        threads.append(threading.current_thread())
        if text == "ldam:slow":
            released.wait(10)
        if text == "ldam:wrong":
            raise StudioError("This link is damaged.")
        return SimpleNamespace(words=f"What {text} shows\n\u202e")

    monkeypatch.setattr(open_link, "read_link", read_link)
    dialog = LinkDialog()
    qtbot.addWidget(dialog)
    assert (dialog._note.text(), dialog._open.isEnabled()) == (EMPTY, False)
    for text, said in (
        ("ldam:slow", "Reading the link…"),
        ("ldam:good", "What ldam:good shows\\n\\u202e."),
        ("ldam:wrong", "This link is damaged."),
    ):
        dialog._field.setText(text)
        assert not dialog._open.isEnabled()
        until(qtbot, lambda said=said: dialog._note.text() == said)
        assert dialog._open.isEnabled() is (text == "ldam:good")
    released.set()
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)
    assert threading.main_thread() not in threads
