"""Sentences in the window: shown once, acted upon, closed."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from ldam_studio.gui.window import banner as banners
from ldam_studio.gui.window.banner import MOST, Banner


@pytest.fixture
def banner(qtbot):
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(QLineEdit())
    made = Banner(window)
    window.resize(600, 300)
    qtbot.addWidget(window)
    window.show()
    made.holder = window
    return made


def _button(banner, name):
    return next(b for b in banner.findChildren(QPushButton) if b.text() == name)


def test_it_takes_no_room_until_something_is_said(banner):
    assert not banner.isVisible()
    banner.say("The file has no recipe.")
    assert banner.isVisible()
    assert banner.texts() == ("The file has no recipe.",)


def test_the_same_sentence_is_not_repeated(banner):
    for _ in range(5):
        banner.say("The disk is full.", "danger")
    assert banner.texts() == ("The disk is full.",)


def test_a_sentence_of_the_same_key_is_replaced(banner):
    banner.say("Burning in.", key="state")
    banner.say("Chain 3 diverged; lower the step size.", "danger", key="state")
    assert banner.texts() == ("Chain 3 diverged; lower the step size.",)
    banner.dismiss("state")
    assert not banner.isVisible()


def test_a_button_acts_and_closes(banner, qtbot):
    done = []
    banner.say("Images should be clamped.", actions=(("Clamp", lambda: done.append(1)),))
    qtbot.mouseClick(_button(banner, "Clamp"), Qt.MouseButton.LeftButton)
    assert done == [1]
    assert banner.texts() == ()
    assert not banner.isVisible()


def test_an_action_may_say_something_itself(banner, qtbot):
    banner.say("One.", actions=(("More", lambda: banner.say("Two.")),))
    qtbot.mouseClick(_button(banner, "More"), Qt.MouseButton.LeftButton)
    assert banner.texts() == ("Two.",)
    assert banner.isVisible()


def test_it_keeps_few_sentences_and_the_serious_ones_longest(banner):
    banner.say("Serious.", "danger")
    for number in range(MOST + 2):
        banner.say(f"Note {number}.")
    assert len(banner.texts()) == MOST
    assert "Serious." in banner.texts()
    assert f"Note {MOST + 1}." in banner.texts()


def _seen(banner):
    return [label.text() for label in banner.findChildren(QLabel) if label.isVisible()]


def test_two_are_shown_and_the_others_wait_for_their_turn(banner, qtbot):
    for text in ("One.", "Two.", "Three.", "Four."):
        banner.say(text, "warning")
    banner.say("Serious.", "danger")
    waiting = "3 more messages after these"
    assert {text for text in _seen(banner) if text} == {"Four.", "Serious.", waiting}
    banner.dismiss("Four.")
    assert "Three." in _seen(banner)
    banner.dismiss("Three.")
    banner.dismiss("Serious.")
    assert {text for text in _seen(banner) if text} == {"One.", "Two."}


def test_what_only_informs_goes_by_itself(banner, qtbot, monkeypatch):
    monkeypatch.setattr(banners, "READING_MS", 1)
    monkeypatch.setattr(banners, "LETTER_MS", 0)
    banner.say("Careful.", "warning")
    banner.say("Broken.", "danger")
    banner.say("Offered.", actions=(("Take", lambda: None),))
    banner.say("Saved.")
    qtbot.waitUntil(lambda: "Saved." in banner.texts())
    banner.dismiss("Broken.")
    qtbot.waitUntil(lambda: banner.texts() == ("Careful.", "Offered."))
    assert banner.isVisible()


def test_while_a_session_opens_messages_stay(banner, qtbot, monkeypatch):
    monkeypatch.setattr(banners, "READING_MS", 1)
    monkeypatch.setattr(banners, "LETTER_MS", 0)
    banner.say("Before.")
    banner.hold()
    banner.say("The studio did not close properly.")
    timers = [row._timer for row in banner._rows.values()]
    assert not any(timer.isActive() for timer in timers)
    banner.settle()
    assert all(timer.isActive() for timer in timers)
    qtbot.waitUntil(lambda: banner.texts() == ())


def test_a_presentation_is_disturbed_by_errors_only(banner):
    banner.say("Saved.", "warning")
    banner.show_only_errors(True)
    assert not banner.isVisible()
    banner.say("Careful.", "warning")
    assert not banner.isVisible()
    banner.say("Broken.", "danger")
    assert [text for text in _seen(banner) if text] == ["Broken."]
    banner.show_only_errors(False)
    assert "Careful." in _seen(banner) and banner.texts() == ("Saved.", "Careful.", "Broken.")


def test_escape_and_the_cross_close_one(banner, qtbot):
    banner.say("One.")
    banner.say("Two.")
    cross = banner.findChildren(QToolButton)[0]
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert banner.texts() == ("Two.",)
    cross = next(b for b in banner.findChildren(QToolButton) if b.isVisible())
    qtbot.keyClick(cross, Qt.Key.Key_Escape)
    assert banner.texts() == ()


def test_what_is_about_the_session_to_open_outlives_the_clearing_before_it(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    banner = Banner(window)
    banner.say("of the session before")
    banner.say("of the one to come", "warning", lasting=True)
    banner.clear()
    assert banner.texts() == ("of the one to come",)
    banner.settle()
    banner.clear()
    assert banner.texts() == ()


def test_no_word_makes_the_window_wider(banner):
    before = banner.holder.minimumSizeHint().width()
    banner.say(f"The tensor {'a' * 5000} is unknown.", "danger")
    assert banner.minimumSizeHint().width() < 300
    assert banner.holder.minimumSizeHint().width() == before
    assert banner.texts() == (f"The tensor {'a' * 5000} is unknown.",)


OFFERS = (("Go on with it", print), ("Start with the ten digits", print))
LONG = "The studio did not close properly; this is the session of 14:03, at step 1,234."


@pytest.mark.parametrize("width", [240, 380, 600, 900])
def test_buttons_leave_the_text_room_however_narrow_the_images_are(banner, width, qtbot):
    banner.holder.resize(width, 700)
    banner.say(LONG, "warning", OFFERS)
    label = next(label for label in banner.findChildren(QLabel) if label.text() == LONG)
    qtbot.waitUntil(lambda: label.width() > 120)
    buttons = [_button(banner, name) for name, _act in OFFERS]
    for button in buttons:
        assert button.width() >= button.sizeHint().width()
        at = button.mapTo(banner, button.rect().bottomRight())
        assert banner.rect().contains(at)
    assert label.height() <= 6 * label.fontMetrics().lineSpacing()
    below = buttons[0].mapTo(banner, QPoint()).y() > label.mapTo(banner, QPoint()).y() + 10
    assert below is (width < 900)


def test_messages_leave_half_of_the_images_free(banner):
    banner.holder.resize(240, 300)
    banner.say(LONG, "warning", OFFERS)
    banner.say("You left another session; it is kept.", actions=(("Go back to it", print),))
    assert _button(banner, "Go back to it").isVisible()
    assert not _button(banner, OFFERS[0][0]).isVisible()
    assert "1 more message" in banner._more.text()
    banner.holder.resize(900, 700)
    assert _button(banner, OFFERS[0][0]).isVisible()
