"""The tab in which a judge names the drawn images."""

import pytest

from gui.windows import until
from ldam_studio.explore.intervals import share_of
from ldam_studio.explore.verdict.verdict import Verdict
from ldam_studio.gui.verdict.feature import JudgeVerdicts
from ldam_studio.gui.verdict.panel import VerdictPanel
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture
def verdicts(studio, qtbot):
    feature = studio.feature(JudgeVerdicts)
    feature.show()
    until(qtbot, lambda: ":" in feature.panel._line.text())
    return feature


def test_the_shipped_judge_speaks_at_once(verdicts, studio, qtbot):
    panel = verdicts.panel
    assert panel._line.text().startswith("All-convolutional judge: ")
    until(qtbot, lambda: "of 3 averages" in panel._over.text())
    assert panel._bars._classes and len(panel._bars._classes) == 5
    assert panel._close.isVisible() and not panel._hint.isVisible()


def test_without_a_judge_it_is_this_network_only(verdicts, qtbot):
    verdicts.panel.closed.emit()
    until(qtbot, lambda: verdicts.panel._line.text().startswith("This network only: "))
    assert verdicts.panel._hint.isVisible() and not verdicts.panel._close.isVisible()


def test_all_words_fit_into_the_tab_of_a_small_screen(qtbot):
    panel = VerdictPanel()
    qtbot.addWidget(panel)
    same = Verdict("", True, (("tench", 1.0),), 1, 1, share_of(1, 1), True)
    panel.show_verdict(same)
    panel.resize(720, 140)
    panel.show()
    for label in (panel._line, panel._over, panel._hint):
        assert label.height() >= label.heightForWidth(label.width()), label.text()


def test_another_network_of_the_same_classes_judges(verdicts, qtbot):
    verdicts.open_network(open_network("lenet-averaged"))
    until(qtbot, lambda: verdicts.panel._line.text().startswith("lenet-averaged: "))


def test_a_judge_of_other_classes_is_refused(verdicts, studio):
    before = verdicts.judge
    verdicts.open_network(open_network("vgg"))
    assert "names other classes" in studio.banner.texts()[-1]
    assert verdicts.judge is before


def badges(studio):
    return [(badge.text, badge.token) for badge in studio.canvas._average_badges.values()]


def test_a_judge_names_the_average_beside_its_title(verdicts, studio, qtbot):
    studio.places.show_tab(studio.panels.tabs.widget(0))
    assert not verdicts.panel.isVisible()
    for chain in (1, 2):
        studio.model.set_front(chain)
        assert not badges(studio)  # nothing is said of another chain
        until(qtbot, lambda: bool(badges(studio)))
        text, token = badges(studio)[0]
        assert text.startswith("judge: ") and text.endswith(" %")
        right = text.startswith(f"judge: {studio.model.acted.neurons[chain].index},")
        assert token == ("success" if right else "warning")
    verdicts.panel.closed.emit()
    assert not badges(studio)


def test_long_names_leave_room_for_the_title(verdicts, studio):
    name = "a class with a name that never ends"
    said = Verdict("judge", False, ((name, 0.5),), 0, 0, None, None)
    verdicts._show_badge(said)
    assert badges(studio) == [("judge: a class with a…, 50 %", "muted")]


def test_nothing_is_asked_while_nobody_looks(verdicts, studio, qtbot, monkeypatch):
    verdicts.panel.closed.emit()
    until(qtbot, lambda: verdicts._asking is None)
    studio.places.show_tab(studio.panels.tabs.widget(0))
    assert not verdicts.panel.isVisible()
    asked = []
    monkeypatch.setattr(studio.controller, "ask", asked.append)
    verdicts._look()
    assert not asked and verdicts._asking is None


def test_nothing_is_judged_again_while_nothing_changes(verdicts, studio, qtbot):
    studio.controller.pause()
    until(qtbot, lambda: verdicts._asking is None and verdicts._rounds is not None)
    verdicts._look()
    until(qtbot, lambda: verdicts._asking is None)
    seen, rounds = verdicts._seen, verdicts._rounds
    rounds.verdict = None  # would fail if it were called
    verdicts._look()
    until(qtbot, lambda: verdicts._asking is None)
    assert verdicts._seen == seen and verdicts._rounds is rounds


def test_the_judge_follows_to_other_weights(verdicts, studio, qtbot):
    studio.controller.set_network(open_network("lenet-averaged"))
    judge = verdicts.judge
    until(qtbot, lambda: verdicts._explained is studio.model.outline.lane.network)
    until(qtbot, lambda: verdicts.panel._line.text().startswith("All-convolutional judge: "))
    assert judge is not None and verdicts.judge.title == "All-convolutional judge"


def test_a_presentation_shows_the_line(verdicts, studio, qtbot):
    assert verdicts._presented.text().startswith("All-convolutional judge: ")
    assert not verdicts._presented.isVisible()
    studio.actions_by_name["presentation"].trigger()
    until(qtbot, lambda: verdicts._presented.isVisible())
    assert verdicts._is_seen()
