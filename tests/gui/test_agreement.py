"""The panel that says whether chains agree, over a real session and alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel

from agreement_targets import chains_of, walk
from gui.windows import open_in, paused, small_opening, until
from ldam_studio.explore.agreement.neurons import NeuronVerdict
from ldam_studio.explore.agreement.verdict import FIRST, Kind, Verdict, judge
from ldam_studio.gui.agreement import feature
from ldam_studio.gui.agreement.panel import AgreementPanel
from ldam_studio.gui.help.dialog import HelpDialog
from ldam_studio.networks.neurons import Neuron


def found(label, chains, verdict):
    return NeuronVerdict(Neuron.parse("fc3:4"), label, chains, verdict, 500, 2, 10.0)


AGREE = Verdict(Kind.AGREE, "The chains agree.")
APART = Verdict(Kind.DISAGREE, "The chains still disagree.")


@pytest.fixture
def panel(qtbot):
    made = AgreementPanel()
    qtbot.addWidget(made)
    made.resize(640, 150)
    made.show()
    return made


def texts(panel):
    return " | ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_the_sentence_is_that_of_the_neuron_in_front(panel):
    panel.show_verdicts([found("0", (0, 2), AGREE), found("1", (1, 3), APART)])
    panel.set_front(2)
    assert panel.sentence == "The chains agree."
    panel.set_front(1)
    assert panel.sentence == "The chains still disagree."
    assert panel.chips.accessibleDescription() == "0: agree, 1: disagree"


def test_a_chip_brings_its_neuron_to_the_front(panel, qtbot):
    panel.show_verdicts([found("0", (0, 2), AGREE), found("1", (1, 3), APART)])
    place = panel.chips._places[1]
    assert panel.chips.tip_at(place.center().x(), place.center().y()).endswith(APART.sentence)
    assert panel.chips.tip_at(630, 5) == ""
    with qtbot.waitSignal(panel.front_wanted) as heard:
        panel.chips.chosen.emit(1)
    assert heard.args == [1]


def test_a_hundred_neurons_with_long_names_wrap_and_stay_inside(panel):
    panel.show_verdicts([found(f"a rather long label {n}", (n,), AGREE) for n in range(100)])
    panel.grab()
    assert all(place.right() <= panel.chips.width() for place in panel.chips._places)
    assert panel.chips.height() > panel.height()


def test_numbers_are_shown_on_demand(panel):
    values = walk(np.random.default_rng(0), 400, 4)
    panel.show_verdicts([found("0", (0, 1, 2, 3), judge(chains_of(values)))])
    assert "R-hat" not in texts(panel)
    panel.details.setChecked(True)
    shown = texts(panel)
    assert "R-hat" in shown
    assert "needed 400" in shown
    assert "500 of each of 4 chains, one in 2 kept" in shown
    panel.show_verdicts([found("0", (0,), Verdict(Kind.TOO_EARLY, "Too early to tell."))])
    assert "R-hat" not in texts(panel)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_mark_and_a_name(panel, kind):
    panel.show_verdicts([found(name, (n,), Verdict(kind, "")) for n, name in enumerate("ab")])
    assert not panel.grab().isNull()
    assert panel._mark.accessibleName()


@pytest.fixture
def window(make_window, qtbot, monkeypatch):
    """A session of four chains of one neuron, with the panel in front; judged without a pause."""
    monkeypatch.setattr(feature, "EVERY_S", 0.0)
    monkeypatch.setattr(feature, "LOOK_MS", 20)
    made = open_in(make_window(), qtbot, small_opening("fc3:4", burn_in=10))
    made.controller.set_neurons((Neuron.parse("fc3:4"),) * 4)
    made.places.actions()["agreement"].trigger()
    return made


def panel_of(window):
    return window.findChild(AgreementPanel)


def test_the_chains_of_a_session_are_judged_while_it_runs(window, qtbot):
    panel = panel_of(window)
    assert panel.isVisible()
    until(qtbot, lambda: panel.verdict_in_front() is not None)
    until(qtbot, lambda: panel.verdict_in_front().samples > FIRST)
    assert panel.verdict_in_front().verdict.kind is not Kind.AGREE
    assert panel.verdict_in_front().chains == (0, 1, 2, 3)


def test_a_hidden_panel_asks_for_nothing(window, qtbot):
    recorder = window.features["agreement"]
    panel = panel_of(window)
    until(qtbot, lambda: panel.verdict_in_front() is not None)
    panel.hide()
    assert not recorder._recorder.wanted
    assert not recorder._timer.isActive()
    window.places.actions()["agreement_always"].trigger()
    assert recorder._recorder.wanted
    assert recorder.remember() == {"always": True}


def test_another_neuron_is_judged_from_its_own_start(window, qtbot):
    panel = panel_of(window)
    until(qtbot, lambda: panel.verdict_in_front() is not None)
    window.controller.set_neurons(Neuron.parse("fc3:7"))
    assert panel.verdict_in_front() is None
    until(qtbot, lambda: panel.verdict_in_front() is not None)
    assert str(panel.verdict_in_front().neuron) == "fc3:7"


def test_one_chain_is_offered_company(make_window, qtbot, monkeypatch):
    monkeypatch.setattr(feature, "EVERY_S", 0.0)
    window = open_in(make_window(), qtbot, small_opening("fc3:4", burn_in=1))
    window.places.actions()["agreement"].trigger()
    panel = panel_of(window)
    until(qtbot, panel.more.isVisible)
    assert panel.sentence.startswith("One chain cannot tell")
    panel.more.click()
    until(qtbot, lambda: window.model.chains == 4)
    assert {str(neuron) for neuron in window.model.outline.lane.neurons} == {"fc3:4"}


def test_what_the_words_mean_is_in_the_guide(window, qtbot):
    panel_of(window).help_wanted.emit()
    dialog = window.findChild(HelpDialog)
    assert dialog.list.currentItem().text() == feature.GUIDE
    assert "Do the chains agree?" in dialog.browser.toPlainText()
    dialog.close()


def test_a_badge_tells_it_beside_the_average(window, qtbot):
    agreement = window.features["agreement"]
    paused(window, qtbot)
    until(qtbot, lambda: agreement._task is None)
    agreement._take((0.0, (found("4", (0, 1, 2, 3), APART),)))
    assert [badge.text for badge in window.canvas._average_badges.values()] == ["chains disagree"]
    window.grab()
    agreement._take((0.0, (found("4", (0, 1, 2, 3, 4), AGREE),)))  # of chains that are gone
    assert [badge.text for badge in window.canvas._average_badges.values()] == ["chains disagree"]
    agreement._fail(SimpleNamespace())
    panel_of(window).hide()
    assert not window.canvas._average_badges
