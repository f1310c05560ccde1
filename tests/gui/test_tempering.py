"""The tab of parallel tempering: beginning, reading, changing and ending a ladder."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from gui.windows import click, controls, open_in, paused, small_opening, until
from ldam_studio.engine.frame import LadderFrame
from ldam_studio.gui.settings.acceptance import Acceptance
from ldam_studio.gui.tempering.feature import Tempering
from ldam_studio.gui.tempering.ladder_view import LadderView
from ldam_studio.gui.tempering.panel import EXPLANATION, NO_SESSION
from ldam_studio.gui.tempering.words import Ladder, ladder_of, ladder_words, temperature_texts
from ldam_studio.gui.wall.feature import ChainWall
from ldam_studio.sampler.exact import exact_values, moving_temperature
from ldam_studio.sampler.settings import Settings

FOUR = {"mode": "exact", "kernel": "mala", "tempering": 4, "temperature": 0.1, "step_size": 0.02}


def shown(window, qtbot):
    window.places.actions()["tempering"].trigger()
    panel = window.feature(Tempering).panel
    until(qtbot, panel.isVisible)
    return panel


def ladders_shown(window, qtbot, panel):
    until(qtbot, lambda: panel.shows_ladder)
    return window.last_frame.lanes[0].ladders


def open_ladder(make_window, qtbot, chains):
    studio = open_in(make_window(), qtbot, small_opening("fc3:4", **FOUR))
    studio.controller.set_value("chains", chains)
    until(qtbot, lambda: studio.last_frame.lanes[0].ladders is not None)
    return studio


def test_a_button_makes_a_ladder_and_one_undo_takes_it_back(studio, qtbot):
    panel = shown(studio, qtbot)
    until(qtbot, lambda: panel.explanation.text() == EXPLANATION and panel.start.isEnabled())
    studio.controller.set_front(1)
    before = studio.model.outline
    click(panel, "Temper This Neuron")
    settings = studio.model.outline.lane.settings
    assert studio.model.outline.lane.neurons == (before.lane.neurons[1],) * 16
    assert (settings.mode, settings.tempering, studio.model.front) == ("exact", 16, 0)
    assert ladders_shown(studio, qtbot, panel).rung.tolist() == list(range(16))
    until(qtbot, lambda: "emperature" in panel.words.text())
    assert panel.rungs.value() == 16
    strip = studio.panels.strip.strip
    until(qtbot, lambda: strip._labels[1] == "+1")
    assert strip._labels[0] == "#1" and "rung 1 of a ladder" in strip._tips[1]
    studio.controller.undo()
    assert studio.model.outline.lane == before.lane
    until(qtbot, lambda: not panel.shows_ladder)
    until(qtbot, lambda: strip._labels[1] == "1")


def test_rungs_bring_chains_and_take_none_and_stop_keeps_the_chains(make_window, qtbot):
    studio = open_ladder(make_window, qtbot, 8)
    panel = shown(studio, qtbot)
    ladders_shown(studio, qtbot, panel)
    panel.rungs.setValue(3)
    outline = studio.model.outline
    assert (outline.lane.settings.tempering, outline.chains) == (3, 8)
    panel.rungs.setValue(5)
    assert studio.model.chains == 10
    studio.controller.undo()
    studio.controller.undo()
    assert studio.model.chains == 8
    click(panel, "Stop")
    assert studio.model.outline.lane.settings.tempering == 0
    until(qtbot, lambda: not panel.shows_ladder)
    assert panel.explanation.text() == EXPLANATION and studio.model.chains == 8


def test_where_no_ladder_is_possible_the_panel_says_why(make_window, qtbot):
    studio = open_in(make_window(), qtbot, small_opening("fc3:4-6", tempering=4))
    panel = shown(studio, qtbot)
    until(qtbot, lambda: "mode exact" in panel.explanation.text())
    assert controls(studio).rows["tempering"].note.text() == panel.explanation.text()


def test_a_click_on_a_rung_shows_its_chain_and_badges_say_that_it_is_hot(make_window, qtbot):
    studio = open_ladder(make_window, qtbot, 4)
    panel = shown(studio, qtbot)
    ladders_shown(studio, qtbot, panel)
    view = panel.view
    last = view.bar(2)
    qtbot.mouseClick(
        view, Qt.MouseButton.LeftButton, pos=QPoint(last.right() + 20, last.center().y())
    )
    assert studio.model.front == 3
    until(qtbot, lambda: studio.last_frame.lanes[0].front == 3)
    from ldam_studio.gui.frame_words import average_badges, raw_badges

    frame = studio.last_frame
    texts = [badge.text for badge in raw_badges(frame, None)]
    # The ladder may still be settling, and with it the rung's temperature.
    assert texts[0] == f"hot: temperature {frame.lanes[0].temperature:.2g}"
    assert frame.lanes[0].temperature > studio.model.outline.lane.settings.temperature
    assert average_badges(frame.lanes[0])[0].text == "of the coldest chain"
    view.grab()
    studio.places.actions()["wall"].trigger()
    wall = studio.feature(ChainWall).wall
    until(qtbot, lambda: wall._labels[1:] == ("+1", "+2", "+3"))


def test_a_hidden_panel_is_not_kept_up_to_date(make_window, qtbot, monkeypatch):
    studio = open_ladder(make_window, qtbot, 4)
    panel = studio.feature(Tempering).panel
    monkeypatch.setattr(panel, "show_ladder", lambda *_given: pytest.fail("hidden"))
    seen = studio.frames.count
    until(qtbot, lambda: studio.frames.count > seen + 8)
    monkeypatch.undo()
    paused(studio, qtbot)
    assert shown(studio, qtbot).shows_ladder  # at once, also while the chains rest


def frame_of(rates, tried=100, trips=0):
    count = len(rates) + 1
    return LadderFrame(
        rung=np.arange(count),
        cold=np.zeros(count, np.int64),
        temperature=np.float32(0.1 * 1.5 ** np.arange(count)),
        rate=np.array([0.0, *rates], np.float32),
        tried=np.full(count, tried),
        trips=np.array([trips] + count * [0])[:count],
    )


def test_words_about_ladders():
    assert ladder_words(ladder_of(frame_of([0.28, 0.33], trips=1200), 1)) == (
        "Temperature 0.1 to 0.22 (× 2.25)  ·  exchanges 31 % (28 to 33)  ·  1,200 round trips"
    )
    assert ladder_words(ladder_of(frame_of([0.3]), 0)).endswith("exchanges 30 %")
    assert ladder_words(ladder_of(frame_of([0.3], trips=1), 0)).endswith("1 round trip")
    assert "being counted" in ladder_words(ladder_of(frame_of([0.3, 0.3], tried=3), 0))
    alone = Ladder((4,), (0.1,), (), 0, 2, 2)
    assert "only one left" in ladder_words(alone)
    two = ladder_of(
        LadderFrame(
            rung=np.array([0, 0, 1, 1]),
            cold=np.array([0, 1, 0, 1]),
            temperature=np.float32([0.1, 0.1, 0.2, 0.3]),
            rate=np.float32([0, 0, 0.3, 0.25]),
            tried=np.full(4, 50),
            trips=np.array([0, 7, 0, 0]),
        ),
        3,
    )
    assert two.chains == (1, 3) and ladder_words(two).startswith("Ladder 2 of 2, temperature 0.1 ")


@pytest.mark.parametrize("count", [1, 2, 8, 100])
def test_ladders_of_any_length_are_drawn_inside_the_view(qtbot, count):
    view = LadderView()
    qtbot.addWidget(view)
    view.resize(640, 100)
    rates = tuple([0.0, 0.3, 0.9, float("nan")][i % 4] for i in range(count - 1))
    temperatures = tuple(0.01 * 1.02**i for i in range(count))
    view.show_ladder(Ladder(tuple(range(count)), temperatures, rates, 0, 1, 1), 0)
    view.show()
    view.grab()
    assert all(view.rect().contains(view.bar(i)) for i in range(count - 1))
    assert view.rung_at(0) == 0 and view.rung_at(1e6) == count - 1
    assert "Chain 1, the coldest" in view.tip(0)
    assert (": not known yet." in view.tip(count - 1)) == (
        count in (8, 100) and (count - 2) % 4 == 3
    )


def test_exact_values_move_chains_as_the_normalised_ones():
    settings = Settings.of(temperature=0.01, step_size=0.1, l2=0.5, smoothness=(0.2, 0.4))
    found = exact_values(settings, 4.0)
    assert (found["mode"], found["temperature"], found["step_size"]) == ("exact", 0.04, 0.025)
    assert (found["l2"], found["smoothness"], found["natural_l2"]) == (2.0, 0.8, 0.0)
    assert exact_values(settings, 1e9)["l2"] == 1_000
    assert exact_values(settings, 0.0) == exact_values(Settings(mode="exact"), 4.0)


def test_temperatures_are_told_apart():
    assert temperature_texts([0.1, 0.12, 0.2]) == ["0.1", "0.12", "0.2"]
    assert temperature_texts([0.1, 0.101, 0.2]) == ["0.1", "0.101", "0.2"]
    assert temperature_texts([0.1, 0.1]) == ["0.1", "0.1"]
    assert moving_temperature(0.2, 0.5) == 0.1


def test_the_kernel_says_how_many_steps_it_accepts(studio, qtbot):
    rows = controls(studio).rows
    assert rows["kernel"].note.text() == ""
    assert rows["friction"].note.text() == "No effect with the kernel langevin."
    studio.controller.set_values({"kernel": "mala", "step_size": 0.001, "temperature": 0.1})
    until(qtbot, lambda: rows["kernel"].note.text().startswith("Accepts 9"))
    until(qtbot, lambda: "uses the true gradients" in rows["mode"].note.text())
    studio.controller.set_values({"kernel": "underdamped"})
    until(qtbot, lambda: rows["kernel"].note.text() == "")
    until(qtbot, lambda: rows["friction"].note.text() == "")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "lower Step size, or turn"), (0.57, "57 % of its steps."), (1, "larger")],
)
def test_words_about_acceptance(share, words):
    from types import SimpleNamespace

    rows = np.tile(np.arange(100)[:, None] < 100 * share, (1, 3)).astype(np.float32)
    frame = SimpleNamespace(trace=SimpleNamespace(acceptance=rows))
    assert words in Acceptance().words(frame, Settings.of(kernel="mala", clamp=True))
    assert Acceptance().words(frame, Settings()) == ""


def test_the_button_is_off_without_a_session(make_window, qtbot):
    from gui.windows import show

    window = make_window()
    show(window, qtbot)
    panel = window.feature(Tempering).panel
    assert not panel.start.isEnabled() and panel.explanation.text() == NO_SESSION
