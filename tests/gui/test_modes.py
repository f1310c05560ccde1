"""The gallery of modes in a real window: what it shows, and what can be done with a mode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from gui.windows import click, open_in, paused, small_opening, until
from ldam_studio.engine.changes.change import Change
from ldam_studio.explore.intervals import share_of
from ldam_studio.explore.modes.observations import Mode
from ldam_studio.gui.frame_words import group_badges
from ldam_studio.gui.modes import words
from ldam_studio.gui.modes.cards import Card, Cards
from ldam_studio.gui.modes.feature import Modes
from ldam_studio.networks.neurons import Neuron


def mode(number=1, count=2, chains=(0, 1), **given):
    return Mode(number, share_of(count, 3), count, chains, 100, 250, 7.25, **given)


def test_a_card_says_share_activation_and_when_it_was_seen():
    lines = words.card(mode(), kept=False)
    assert lines == ("mode 1", "67 % (21–94)", "activation 7.25", "steps 100–250")
    assert words.card(mode(), kept=True)[0] == "mode 1, kept"
    assert "Shown now by chains 1, 2." in words.tip(mode(), kept=False)
    assert "No chain shows it now." in words.tip(mode(chains=()), kept=False)
    assert words.card(mode(), kept=False, objective="mix")[2] == "objective 7.25"
    title = words.kept_title(12, "fc3:4", "features")
    assert title == "mode 12 of fc3:4 by features"
    assert words.number_in(title, "fc3:4", "features") == 12
    assert words.number_in(title, "fc3:4", "pixels") is None
    assert words.number_in("mode ² of fc3:4", "fc3:4", "pixels") is None
    assert words.summary("4", 2, 3, 2) == "4: 2 modes in 3 averages"
    assert words.summary("4", 40, 90, 24) == "4: 40 modes in 90 averages, 24 of them shown"
    assert words.summary("4", 0, 0, 0) == "4"


@pytest.fixture
def cards(qtbot):
    made = Cards()
    qtbot.addWidget(made)
    made.resize(600, 90)
    picture = np.zeros((8, 8, 3), np.uint8)
    made.show_cards(tuple(Card(n, words.card(mode(n), False), "tip", picture) for n in (1, 2, 5)))
    made.show()
    return made


def test_a_click_and_the_arrow_keys_choose_a_card(cards):
    told = []
    cards.chosen.connect(told.append)
    QTest.mouseClick(cards, Qt.MouseButton.LeftButton, pos=cards.rect_of(2).center())
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Escape):
        QTest.keyClick(cards, key)
    assert told == [2, 5, 1, 5, 0]
    cards.choose(5)
    cards.show_cards(cards.cards[:1])
    assert told[-1] == 0 and not cards.grab().isNull()


def gallery(window) -> Modes:
    return window.feature(Modes)


@pytest.fixture
def fours(make_window, qtbot):
    """A window whose three chains show one neuron, with the gallery in front."""
    window = open_in(make_window(), qtbot, small_opening("fc3:4", burn_in=30, temperature=0.05))
    window.controller.set_value("chains", 3)
    window.places.show_tab(gallery(window).panel)
    return window


def with_modes(window, qtbot):
    until(qtbot, lambda: any(c.picture is not None for c in gallery(window).panel.cards.cards))
    return gallery(window)


def test_modes_come_with_their_pictures_and_say_what_they_are(fours, qtbot):
    made = with_modes(fours, qtbot)
    card = made.panel.cards.cards[0]
    assert card.lines[0] == "mode 1" and card.picture.shape == (28, 28, 3)
    assert sum(mode.count for mode in made.collector.modes()) <= 3


def test_a_gallery_that_nobody_sees_asks_nothing(make_window, qtbot, monkeypatch):
    window = open_in(make_window(), qtbot, small_opening("fc3:4", burn_in=10))
    asked = []
    ask = window.controller.ask
    monkeypatch.setattr(window.controller, "ask", lambda q: asked.append(q) or ask(q))
    before = window.frames.count
    until(qtbot, lambda: window.frames.count > before + 20)
    assert asked == [] and gallery(window).collector.modes() == ()


def test_looking_for_others_keeps_the_mode_pushes_and_restarts_and_is_undone_as_one(fours, qtbot):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    made.panel.cards.choose(1)
    click(made.panel, "Look for Others")
    model = fours.model
    assert model.outline.lane.settings.repulsion > 0
    assert [kept.title for kept in model.outline.pictures] == ["mode 1 of fc3:4"]
    until(qtbot, lambda: fours.last_frame.outline.pictures != ())
    assert not fours.last_frame.melting
    fours.controller.undo()
    assert model.outline.lane.settings.repulsion == 0 and model.outline.pictures == ()
    until(qtbot, lambda: fours.last_frame.outline.pictures == ())


def test_held_chains_stay_where_they_are_while_others_look_elsewhere(fours, qtbot):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    held = tuple(range(fours.model.chains))
    fours.controller.make(Change("hold", held[:1]), "Hold")
    made.panel.cards.choose(1)
    click(made.panel, "Look for Others")
    assert fours.model.outline.held == held[:1]
    fours.controller.make(Change("hold", held), "Hold")
    click(made.panel, "Look for Others")
    assert "All chains of this neuron are held" in " ".join(fours.banner.texts())
    assert fours.model.outline.held == held


def test_averages_are_within_a_mode_while_all_chains_go_on(fours, qtbot, monkeypatch):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    before, model = fours.last_frame, fours.model
    (found,) = made.collector.modes()[:1]
    monkeypatch.setattr(made.collector, "modes", lambda: (replace(found, chains=(2, 0)),))
    made.panel.cards.choose(found.number)
    click(made.panel, "Average Only This")
    assert model.outline.lane.settings.average_group == (1, 0, 1) and model.front == 2
    until(qtbot, lambda: fours.last_frame.outline.lane.settings.average_over == "both")
    lane = fours.last_frame.lanes[0]
    assert lane.samples.tolist()[0] == lane.samples.tolist()[2]
    assert lane.samples[2] == before.lanes[0].samples[[0, 2]].sum()
    assert lane.samples[1] == before.lanes[0].samples[1]
    assert [b.text for b in group_badges(model.outline.lane, lane)] == ["2 of 3 chains"]
    assert made.panel.buttons["average"].isChecked()
    # A chain that has left the mode since does not make another average of it.
    monkeypatch.setattr(made.collector, "modes", lambda: (replace(found, chains=(0, 1, 2)),))
    click(made.panel, "Average Only This")
    assert model.outline.lane.settings.average_over == "time"
    assert not made.panel.buttons["average"].isChecked()
    fours.controller.undo()
    assert model.outline.lane.settings.average_group == (1, 0, 1)
    click(made.panel, "Look for Others")
    assert model.outline.lane.settings.average_group == 0


def test_a_mode_is_kept_sent_to_and_forgotten(fours, qtbot):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    made.panel.cards.choose(1)
    click(made.panel, "Keep")
    model = fours.model
    until(qtbot, lambda: made.panel.cards.cards[0].lines[0] == "mode 1, kept")
    assert not made.panel.buttons["keep"].isEnabled()
    click(made.panel, "Send Chains There")
    assert len(model.outline.pictures) == 1
    fours.controller.undo()
    click(made.panel, "Forget")
    assert model.outline.pictures[0].origin == "former mode of fc3:4"
    assert 1 not in [card.number for card in made.panel.cards.cards]


def test_a_mode_that_was_kept_comes_back_with_the_session(fours, qtbot):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    made.panel.cards.choose(1)
    click(made.panel, "Keep")
    until(qtbot, lambda: bool(fours.last_frame.outline.pictures))
    made.collector.gallery.clear()
    made.collector.hurry()
    until(qtbot, lambda: made.collector.gallery.knows("fc3:4", "pixels", 1))
    until(
        qtbot, lambda: any(c.number == 1 and c.picture is not None for c in made.panel.cards.cards)
    )


def test_find_another_turns_all_chains_then_begins_anew_away_from_a_mode(make_window, qtbot):
    scheduled = {"schedule": 10, "step_size_start": 0.5}
    window = open_in(make_window(), qtbot, small_opening("fc3:0-2", burn_in=20, **scheduled))
    window.places.show_tab(gallery(window).panel)
    made = gallery(window)
    until(qtbot, made.panel.find_button.isEnabled)
    click(made.panel, "Find Another")
    assert set(window.model.outline.lane.neurons) == {Neuron("fc3", 0)}
    until(qtbot, lambda: bool(made.collector.modes()))
    click(made.panel, "Find Another")
    assert window.model.outline.lane.settings.repulsion > 0
    assert len(window.model.outline.pictures) == 1
    until(qtbot, lambda: window.last_frame.outline.pictures != ())
    assert not window.last_frame.melting
    done = window.controller.ask(lambda state: [entry.name for entry in state.log]).result(30)
    assert done[-4:] == ["repulsion", "keep_mode", "run_schedule", "restart_some"]


def test_find_another_passes_over_a_mode_whose_picture_has_not_come(fours, qtbot, monkeypatch):
    made = with_modes(fours, qtbot)
    paused(fours, qtbot)
    shown = made.collector.modes()
    gone = replace(shown[0], number=99, chains=(), picture=None, count=10**6)
    monkeypatch.setattr(made.collector, "modes", lambda: (gone, *shown))
    made.find()
    (kept,) = fours.model.outline.pictures
    assert kept.title in [f"mode {mode.number} of fc3:4" for mode in shown]


def test_one_chain_of_small_images_is_joined_by_others(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("fc3:0", burn_in=20))
    made = gallery(window)
    window.places.show_tab(made.panel)
    until(qtbot, lambda: bool(made.collector.modes()))
    click(made.panel, "Find Another")
    assert window.model.chains == 10


def test_another_session_begins_an_empty_gallery(fours, qtbot):
    made = with_modes(fours, qtbot)
    fours.open(small_opening("fc3:7", burn_in=10_000))
    until(
        qtbot, lambda: fours.model.is_open and str(fours.model.outline.lane.neurons[0]) == "fc3:7"
    )
    assert made.collector.modes() == () and made.panel.cards.cards == ()


def test_a_window_that_closes_while_the_gallery_looks_leaves_nothing_behind(fours, qtbot):
    with_modes(fours, qtbot)
    gallery(fours).collector.hurry()


def test_each_mode_has_the_real_digit_that_is_nearest(fours, qtbot):
    cards = gallery(fours).panel.cards
    until(qtbot, lambda: any(card.real is not None for card in cards.cards))
    card = next(card for card in cards.cards if card.real is not None)
    assert card.real.shape == (28, 28, 3)
    assert "Nearest real image: " in card.tip and "(class 4)" in card.tip
    assert not cards.grab().isNull()
