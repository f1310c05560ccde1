"""Traces of a run as a person reads them."""

from __future__ import annotations

import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtWidgets import QApplication, QComboBox, QLabel

from gui import fakes
from ldam_studio.gui.traces.axis import brief
from ldam_studio.gui.traces.history import View
from ldam_studio.gui.traces.plot import TracePlot
from ldam_studio.gui.traces.traces import Traces


@pytest.fixture
def traces(qtbot):
    made = Traces()
    qtbot.addWidget(made)
    made.resize(900, 160)
    made.show()
    return made


def _feed(
    traces,
    count,
    start=0,
    chains=10,
    real_probability=False,
    marks=(),
    lesson=None,
    acceptance=None,
):
    steps = np.arange(start + 1, start + count + 1)
    activation = np.tile(steps[:, None], (1, chains)).astype(np.float32) + np.arange(chains)
    probability = np.full((count, chains), 0.7 if real_probability else np.nan, np.float32)
    change = np.tile(1 / steps[:, None], (1, chains)).astype(np.float32)
    untested = np.full((count, chains), np.nan, np.float32)
    trace = SimpleNamespace(
        steps=steps,
        activation=activation,
        real_probability=probability,
        change=change,
        acceptance=untested if acceptance is None else acceptance,
    )
    traces.add(
        fakes.frame(steps=steps, chains=chains, trace=trace, marks=marks, lesson=lesson),
    )


def _texts(traces):
    return " | ".join(w.text() for w in traces.findChildren(QLabel) if w.isVisible())


def test_before_the_first_step_it_says_what_to_do(traces):
    assert "Space starts the chains" in _texts(traces)


def test_the_newest_values_of_the_front_chain_are_in_the_titles(traces):
    _feed(traces, 50)
    traces.set_front(3)
    traces.redraw()
    assert "Activation  53" in _texts(traces)
    assert "Change of average  0.02" in _texts(traces)


def test_the_probability_appears_with_a_discriminator_only(traces):
    _feed(traces, 50)
    traces.redraw()
    assert "P(real)" not in _texts(traces)
    _feed(traces, 50, 50, real_probability=True, lesson=SimpleNamespace(real_probability=0.83))
    traces.redraw()
    assert "P(real)  0.7, real 0.83" in _texts(traces)


def test_the_acceptance_appears_with_a_kernel_that_has_one_and_is_smoothed(traces):
    _feed(traces, 50)
    traces.redraw()
    assert "Acceptance" not in _texts(traces)
    accepted = np.tile(np.arange(120)[:, None] % 4 > 0, (1, 10)).astype(np.float32)
    _feed(traces, 120, 50, acceptance=accepted)
    traces.redraw()
    assert "Acceptance  0.76" in _texts(traces)  # 38 of the last 50 steps
    _feed(traces, 1, 170)  # with another kernel
    traces.redraw()
    assert "Acceptance" not in _texts(traces)
    _feed(traces, 1, 171, acceptance=accepted[:1])
    traces.redraw()
    assert "Acceptance" in _texts(traces)


def test_what_was_taken_back_goes_and_what_was_before_it_stays(traces):
    _feed(traces, 500, real_probability=True, marks=[(40, "melt"), (480, "restart")])
    _feed(traces, 20, start=300, real_probability=True)
    traces.redraw()
    assert "Activation  320" in _texts(traces)
    steps = traces._run.lanes[0].view(False).steps
    assert (steps[0], steps[-1], len(steps)) == (1, 320, 320)
    assert traces.marks() == ((40, "melt"),)


def test_a_restart_and_another_number_of_chains_start_anew(traces):
    _feed(traces, 500, marks=((400, "temperature 0.5"),))
    _feed(traces, 20)
    traces.redraw()
    assert traces.marks() == ()
    assert "Activation  20" in _texts(traces)
    _feed(traces, 20, 20, chains=3)
    traces.redraw()
    assert "Activation  40" in _texts(traces)


def test_a_dragged_slider_leaves_one_mark_with_its_last_value(traces):
    for step in range(1, 40):
        _feed(traces, 1, step, marks=((step + 1, f"temperature {step / 100:g}"),))
    _feed(traces, 1, 40, marks=((41, "melt"), (41, "temperature 1")))
    assert [text for _, text in traces.marks()] == ["temperature 0.39", "melt", "temperature 1"]


def test_marks_are_bounded(traces):
    for step in range(1, 3000, 3):
        _feed(traces, 1, step, marks=((step + 1, f"seed{step}"),))
    assert len(traces.marks()) == 500


def test_pointing_at_a_step_reads_its_values_and_marks(traces):
    _feed(traces, 900, marks=((450, "burned in: all chains"),))
    traces.redraw()
    plot = traces._plots[0]
    plot.hovered.emit(450.0)
    assert "step 450" in _texts(traces)
    assert "activation 450" in _texts(traces)
    assert "burned in: all chains" in _texts(traces)
    plot.hovered.emit(None)
    assert "activation" not in _texts(traces)


def test_the_whole_run_can_be_shown(traces):
    _feed(traces, 3000)
    traces.redraw()
    plot = traces._plots[0]
    assert plot.visible_range()[0][0] > 1000
    traces.findChild(QComboBox).setCurrentIndex(1)
    first, last = plot.visible_range()[0]
    assert first <= 1
    assert last >= 3000
    linked = [other.visible_range()[0] for other in traces._plots if other.isVisible()]
    assert all(x == linked[0] for x in linked)


def test_the_vertical_axis_holds_all_chains(traces):
    _feed(traces, 300)
    traces.redraw()
    low, high = traces._plots[0].visible_range()[1]
    assert low < 1
    assert high > 309


def test_many_chains_are_drawn_as_a_range(traces):
    _feed(traces, 300, chains=100)
    traces.redraw()
    traces.set_front(99)
    traces.redraw()
    assert "Activation  399" in _texts(traces)


def test_it_rests_while_hidden_and_catches_up(traces, qtbot):
    traces.hide()
    _feed(traces, 50)
    assert not traces._timer.isActive()
    traces.show()
    qtbot.waitUntil(lambda: "Activation  50" in _texts(traces))
    assert not traces._timer.isActive()


def test_plots_lie_side_by_side_or_one_below_the_other(traces, qtbot):
    _feed(traces, 50, real_probability=True)
    traces.redraw()
    first, second = traces._plots[0], traces._plots[1]
    assert first.y() == second.y()
    traces.resize(300, 500)
    qtbot.waitUntil(lambda: first.x() == second.x())


def test_in_a_small_window_the_plots_stay_side_by_side(traces, qtbot):
    _feed(traces, 50, real_probability=True)
    traces.resize(410, 150)
    traces.redraw()
    first, second = traces._plots[0], traces._plots[1]
    qtbot.waitUntil(lambda: first.y() == second.y() and first.x() != second.x())
    assert first.view.height() > 60


def _overlaps(plot, side, before, after):
    """The texts of an axis's ticks in order, and whether one reaches into the next."""
    axis = plot._axes[side]
    picture = QPainter(image := QImage(8, 8, QImage.Format.Format_RGB32))
    picture.setFont(axis.style["tickFont"])
    _, _, texts = axis.generateDrawSpecs(picture)
    picture.end()
    assert image is not None
    ends = sorted((getattr(rect, before)(), getattr(rect, after)()) for rect, _, _ in texts)
    return len(ends), any(end > start for (_, end), (start, _) in pairwise(ends))


@pytest.mark.parametrize("height", [70, 90, 160])
@pytest.mark.parametrize("width", [420, 900])
def test_the_numbers_of_an_axis_never_run_together(traces, qtbot, width, height):
    for start in (0, 11_000, 234_000):
        # Four plots in so little width have no room for numbers.
        tested = np.ones((900, 10), np.float32) if width > 420 else None
        _feed(traces, 900, start, real_probability=True, acceptance=tested)
        traces.resize(width, height + 40)
        traces.redraw()
        QApplication.processEvents()
        for plot in (plot for plot in traces._plots if plot.isVisible()):
            steps, run_together = _overlaps(plot, "bottom", "left", "right")
            assert steps and not run_together
            _, run_together = _overlaps(plot, "left", "top", "bottom")
            assert not run_together


def test_steps_without_a_number_are_left_out(traces):
    steps = np.arange(1, 11)
    nothing = np.full((10, 10), np.nan, np.float32)
    zero = np.zeros((10, 10), np.float32)
    trace = SimpleNamespace(
        steps=steps,
        activation=nothing,
        real_probability=nothing,
        change=zero,
        acceptance=nothing,
    )
    traces.add(fakes.frame(steps=steps, trace=trace))
    traces.redraw()
    assert "nan" not in _texts(traces)


def test_a_stretch_without_numbers_is_not_filled(qtbot):
    plot = TracePlot("Activation")
    qtbot.addWidget(plot)
    low = np.zeros((9, 2), np.float32)
    low[3:6] = np.nan
    plot.show_lines(View(np.arange(9), low, low, low + 1), 0)
    outline, _ = plot._band.getData()
    assert not ((outline > 2) & (outline < 6)).any()
    # Two outlines, each from its first step to its last and back.
    assert np.isnan(outline).sum() == 2 and np.nanmax(outline[:7]) == 2


def test_a_long_run_costs_no_more_to_draw_than_a_short_one(traces):
    def cost():
        best = float("inf")
        for _ in range(7):
            start = time.thread_time()
            traces.redraw()
            best = min(best, time.thread_time() - start)
        return best

    _feed(traces, 2000, real_probability=True)
    traces.findChild(QComboBox).setCurrentIndex(1)
    short = cost()
    for start in range(2000, 50_000, 1000):
        _feed(traces, 1000, start, real_probability=True)
    assert cost() < 3 * short + 0.002


class _Paints(QObject):
    """Counts how often a widget was painted."""

    count = 0

    def eventFilter(self, watched, event):
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_every_plot_is_painted_again_when_its_range_stays(traces, qtbot):
    tested = np.ones((350, 10), np.float32)
    _feed(traces, 350, real_probability=True, acceptance=tested)
    traces.redraw()
    qtbot.waitUntil(lambda: not traces._timer.isActive())
    QApplication.processEvents()
    paints = _Paints()
    for plot in traces._plots:
        paints.count = 0
        before = plot.visible_range()
        plot.view.viewport().installEventFilter(paints)
        last = traces._run.last
        _feed(traces, 2, last, real_probability=True, acceptance=tested[:2])
        traces.redraw()
        qtbot.waitUntil(lambda: paints.count > 0)
        plot.view.viewport().removeEventFilter(paints)
        assert plot.visible_range()[0] == before[0]


def test_a_heading_keeps_its_numbers_and_shortens_its_name(qtbot):
    plot = TracePlot("Change of average")
    qtbot.addWidget(plot)
    plot.resize(200, 100)
    plot.show()
    plot.set_value("A 0.00035  B 0.00041")
    text = plot._title.text()
    assert text.endswith("…  A 0.00035  B 0.00041") and text.startswith("Chan")
    assert plot._title.toolTip() == "Change of average  A 0.00035  B 0.00041"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234.5, "1.23e+03"),
        (0.0517, "0.0517"),
        (0.000517, "5.2e-4"),
        (-2e-12, "-2.0e-12"),
    ],
)
def test_small_numbers_are_short(value, text):
    assert brief(value, 3) == text


def test_a_narrow_plot_has_a_shorter_heading(qtbot):
    plot = TracePlot("Change of average", "Change")
    qtbot.addWidget(plot)
    plot.resize(300, 100)
    plot.show()
    plot.set_value("0.00136")
    assert plot._title.text() == "Change of average  0.00136"
    plot.resize(118, 100)
    assert plot._title.text() == "Change  0.00136"


@pytest.mark.parametrize(
    ("objectives", "title"),
    [
        (("activation",), "Activation"),
        (("mix",), "Objective (mix)"),
        (("log-probability", "log-probability"), "Log-probability"),
        (("mix", "activation"), "Objective"),
    ],
)
def test_what_is_made_large_is_named(traces, objectives, title):
    steps = np.arange(1, 4)
    frame = fakes.frame(steps=steps)
    frame.lanes = tuple(fakes.frame(steps=steps, objective=one).lanes[0] for one in objectives)
    traces.add(frame)
    traces.redraw()
    assert traces._plots[0].findChild(QLabel).text().startswith(title)
    traces._plots[0].hovered.emit(2.0)
    assert f"{title[0].lower()}{title[1:]} 0" in _texts(traces)
