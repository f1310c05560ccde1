import dataclasses
import threading

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QToolButton,
)

from gui.windows import (
    altered,
    controls,
    learner,
    open_in,
    paused,
    picker_of,
    show,
    small_opening,
    traces_of,
    turn,
    until,
)
from ldam_studio.engine.picture import to_bytes
from ldam_studio.gui.session import link
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.gui.window.presentation_bar import PresentationBar
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.neurons import Neuron


def settings(window):
    """Return the settings that the running session has."""
    return window.controller.ask(lambda state: state.lane.settings).result(30)


def log(window):
    return window.controller.ask(lambda s: [(e.name, e.value) for e in s.log]).result(30)


# Undo


def test_neurons_are_taken_back_in_their_turn(studio, qtbot):
    def seen():
        return studio.last_frame.lanes[0].neurons[0]

    first = studio.model.outline.lane.neurons
    studio.controller.set_neurons(Neuron("conv1", 2))
    studio.controller.set_value("temperature", 0.02)
    studio.controller.set_neurons(Neuron("fc2", 5))
    until(qtbot, lambda: seen() == Neuron("fc2", 5))
    studio.controller.undo()
    until(qtbot, lambda: seen() == Neuron("conv1", 2))
    assert studio.model.outline.lane.settings.temperature == 0.02
    studio.controller.undo()
    assert settings(studio).temperature == 0.01
    studio.controller.undo()
    until(qtbot, lambda: studio.last_frame.lanes[0].neurons == first)
    for _ in range(3):
        studio.controller.redo()
    until(qtbot, lambda: seen() == Neuron("fc2", 5))
    assert settings(studio).temperature == 0.02


def test_the_edit_menu_says_what_would_be_undone(studio):
    undo, redo = studio.actions_by_name["undo"], studio.actions_by_name["redo"]
    assert undo.text() == "Undo" and not undo.isEnabled()
    studio.controller.set_value("temperature", 0.02)
    studio.actions_by_name["restart"].trigger()
    assert undo.text() == "Undo Restart"
    undo.trigger()
    assert (undo.text(), redo.text()) == ("Undo Temperature", "Redo Restart")
    assert studio.controller.undo_stack.stack.text(0) == "Temperature 0.01 → 0.02"
    undo.trigger()
    assert undo.text() == "Undo" and not undo.isEnabled() and redo.isEnabled()


def test_fewer_chains_are_taken_back_with_their_neurons(studio, qtbot):
    neurons = studio.model.outline.lane.neurons
    assert len(set(neurons)) > 1
    undo = studio.actions_by_name["undo"]
    slider = controls(studio).rows["chains"].slider
    slider.grabbed.emit()
    for chains in (2, 1):
        studio.controller.set_value("chains", chains)
    slider.released.emit()
    assert undo.text() == "Undo Chains"
    undo.trigger()
    assert studio.model.outline.lane.neurons == neurons
    assert not undo.isEnabled()
    until(qtbot, lambda: studio.last_frame.lanes[0].neurons == neurons)
    studio.controller.redo()
    assert studio.model.outline.lane.neurons == neurons[:1]


# Sliders and fields


def test_dragging_a_slider_reaches_the_session_at_once(studio, qtbot):
    slider = controls(studio).rows["temperature"].slider
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(30, slider.height() // 2))
    first = studio.model.outline.lane.settings.temperature
    until(qtbot, lambda: settings(studio).temperature == first)
    QTest.mouseMove(slider, QPoint(slider.width() - 20, slider.height() // 2))
    second = studio.model.outline.lane.settings.temperature
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton)
    assert first < second
    until(qtbot, lambda: settings(studio).temperature == second)
    assert controls(studio).rows["temperature"].field.text() == f"{second:.4g}"
    # One gesture is one change to take back.
    studio.controller.undo()
    until(qtbot, lambda: settings(studio).temperature == 0.01)
    studio.controller.redo()
    assert studio.model.outline.lane.settings.temperature == second


def test_dragging_leaves_the_keys_with_the_canvas(studio, qtbot):
    slider = controls(studio).rows["l2"].slider
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(40, slider.height() // 2))
    assert studio.canvas.hasFocus()
    QTest.keyClick(studio.canvas, Qt.Key.Key_K)
    until(qtbot, lambda: ("heat", 100.0) in log(studio))


def test_the_wheel_over_a_slider_anneals(studio, qtbot):
    slider = controls(studio).rows["temperature"].slider
    slider.setFocus()
    turn(slider, 1)
    assert studio.model.outline.lane.settings.temperature == pytest.approx(0.0112)
    turn(slider, -1)
    assert studio.model.outline.lane.settings.temperature == pytest.approx(0.01, rel=0.01)
    until(qtbot, lambda: settings(studio) == studio.model.outline.lane.settings)


def test_the_wheel_turns_only_the_slider_that_has_the_focus(studio):
    slider = controls(studio).rows["temperature"].slider
    before = studio.model.outline.lane.settings
    assert not turn(slider, -1)  # so the panel around it scrolls
    assert studio.model.outline.lane.settings == before


def test_a_double_click_resets(studio, qtbot):
    studio.controller.set_value("step_size", 0.3)
    slider = controls(studio).rows["step_size"].slider
    QTest.mouseDClick(slider, Qt.MouseButton.LeftButton)
    assert studio.model.outline.lane.settings.step_size == 0.1
    until(qtbot, lambda: settings(studio).step_size == 0.1)


def test_a_bad_number_is_one_sentence_and_changes_nothing(studio, qtbot):
    row = controls(studio).rows["l2"]
    row.field.setFocus()
    row.field.selectAll()
    QTest.keyClicks(row.field, "-3")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert row.note.isVisible()
    assert "L2 weight must lie between 0 and 1,000" in row.note.text()
    assert studio.model.outline.lane.settings.l2 == 0.5
    # What is wrong stays there to be corrected, whatever the session goes on to do.
    QTest.keyClick(row.field, Qt.Key.Key_Escape)
    assert row.field.text() == "0.5"
    assert not row.note.isVisible()
    row.field.selectAll()
    QTest.keyClicks(row.field, "0.25")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    until(qtbot, lambda: settings(studio).l2 == 0.25)


def test_burn_in_takes_a_number_or_auto(studio, qtbot):
    row = controls(studio).rows["burn_in"]
    row.field.selectAll()
    QTest.keyClicks(row.field, "25")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    until(qtbot, lambda: settings(studio).burn_in == 25)
    row.slider.reset.emit()
    until(qtbot, lambda: settings(studio).burn_in == "auto")
    assert row.field.text() == "auto"


def test_settings_that_differ_between_chains_are_shown_as_mixed(make_window, qtbot):
    opening = small_opening(temperature=(0.01, 0.02, 0.04))
    window = open_in(make_window(), qtbot, opening)
    row = controls(window).rows["temperature"]
    assert row.field.text() == "mixed"
    row.slider.setFocus()
    turn(row.slider, 1)
    assert window.model.outline.lane.settings.temperature == pytest.approx((0.0112, 0.0224, 0.0448))
    row.slider.reset.emit()
    # Back to what the session began with.
    assert window.model.outline.lane.settings.temperature == (0.01, 0.02, 0.04)


def test_the_number_of_chains_follows_the_engine(studio, qtbot):
    studio.controller.set_value("chains", 5)
    until(qtbot, lambda: len(studio.model.outline.lane.neurons) == 5)
    assert studio.model.outline.lane.neurons[3:] == (Neuron("fc3", 3), Neuron("fc3", 4))
    until(qtbot, lambda: len(studio.last_frame.lanes[0].neurons) == 5)
    assert controls(studio).rows["chains"].field.text() == "5"
    studio.controller.set_front(4)
    studio.controller.set_value("chains", 2)
    until(qtbot, lambda: len(studio.last_frame.lanes[0].neurons) == 2)
    assert studio.model.front == 1


def test_temperature_is_also_given_in_units_of_the_activation(studio, qtbot):
    row = controls(studio).rows["temperature"]
    until(qtbot, lambda: "units of the activation" in row.note.text())
    studio.controller.set_value("mode", "exact")
    until(qtbot, lambda: not row.note.isVisible())


def test_turning_the_discriminator_up_offers_to_clamp(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    window.controller.set_display(Display(SIGNED))
    window.controller.set_value("discriminator_weight", 0.4)
    assert not window.model.outline.lane.settings.clamp
    (text,) = window.banner.texts()
    assert "between black and white" in text
    button = next(
        b for b in window.banner.findChildren(QAbstractButton) if b.text().startswith("Clamp")
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.model.outline.lane.settings.clamp
    assert window.model.display.mode == IMAGE
    assert window.banner.texts() == ()
    window.controller.set_value("discriminator_weight", 0.6)
    assert window.banner.texts() == ()


def test_a_discriminator_that_is_opened_can_be_used_at_once(studio):
    row = controls(studio).rows["discriminator_weight"]
    assert not row.isEnabled()
    studio.controller.set_discriminator(open_discriminator())
    assert row.isEnabled()
    assert all(box.isEnabled() for box in learner(studio).findChildren(QCheckBox))
    studio.controller.set_discriminator(None)
    assert not row.isEnabled()


# Keys


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        (Qt.Key.Key_K, ("heat", 100.0)),
        (Qt.Key.Key_R, ("restart", None)),
        (Qt.Key.Key_A, ("reset_average", None)),
    ],
)
def test_letters_act_on_the_canvas_and_nowhere_else(studio, qtbot, key, entry):
    field = controls(studio).rows["l2"].field
    search = picker_of(studio).findChild(QLineEdit)
    for other in (field, search, studio.strip, picker_of(studio)):
        other.setFocus()
        QTest.keyClick(QApplication.focusWidget(), key)
    assert entry not in log(studio)
    studio.canvas.setFocus()
    QTest.keyClick(studio.canvas, key)
    until(qtbot, lambda: entry in log(studio))


def test_space_pauses_and_s_takes_single_steps(studio, qtbot):
    QTest.keyClick(studio.canvas, Qt.Key.Key_Space)
    until(qtbot, lambda: studio.model.run_state.value == "paused")
    assert studio.actions_by_name["play"].text() == "Play"
    paused(studio, qtbot)
    step = studio.last_frame.step
    QTest.keyClick(studio.canvas, Qt.Key.Key_S)
    until(qtbot, lambda: studio.last_frame.step == step + 1)
    QTest.keyClick(studio.canvas, Qt.Key.Key_Space)
    until(qtbot, lambda: studio.last_frame.step > step + 2)
    assert studio.actions_by_name["play"].text() == "Pause"


def test_melting_shows_and_ends(studio, qtbot):
    paused(studio, qtbot)
    QTest.keyClick(studio.canvas, Qt.Key.Key_K)
    until(qtbot, lambda: studio.last_frame.melting)
    studio.controller.play()
    until(qtbot, lambda: not studio.last_frame.melting)
    hot, *_, cooled = (value for name, value in log(studio) if name == "heat")
    assert (hot, cooled) == (100.0, 1.0)


def test_a_new_seed_is_another_start(studio, qtbot):
    seed = studio.model.outline.seed
    QTest.keyClick(studio.canvas, Qt.Key.Key_N)
    assert studio.model.outline.seed != seed
    until(qtbot, lambda: ("seed", studio.model.outline.seed) in log(studio))


# Chains and neurons


def test_a_click_in_the_strip_brings_a_chain_to_the_front(studio, qtbot):
    ratio = studio.strip.devicePixelRatioF()
    place = studio.strip.layout_now.thumbs[2].center() / ratio
    QTest.mouseClick(studio.strip, Qt.MouseButton.LeftButton, pos=place)
    assert studio.model.front == 2
    until(qtbot, lambda: studio.last_frame.lanes[0].front == 2)
    assert studio.strip.front == 2
    studio.strip.setFocus()
    QTest.keyClick(studio.strip, Qt.Key.Key_Left)
    assert studio.model.front == 1
    QTest.keyClick(studio.strip, Qt.Key.Key_Home)
    assert studio.model.front == 0
    studio.canvas.setFocus()
    QTest.keyClick(studio.canvas, Qt.Key.Key_Left)
    assert studio.model.front == 2


def test_frames_of_a_chain_that_left_the_front_are_dropped(studio, qtbot):
    paused(studio, qtbot)
    studio.controller._request()
    runner = studio.controller.runner
    until(qtbot, lambda: runner._request is None)
    studio.model.set_front(1)
    assert studio.controller.take_frame() is None


def test_picking_a_neuron_turns_all_chains_to_it_and_a_layer_spreads_them(studio, qtbot):
    picker_of(studio).chosen.emit(Neuron("conv1", 2))
    until(qtbot, lambda: studio.last_frame.lanes[0].neurons == (Neuron("conv1", 2),) * 3)
    assert studio.last_frame.lanes[0].field is not None
    # Chains of one neuron are told apart.
    assert studio.strip._labels == ("#1", "#2", "#3")
    picker_of(studio).spread.emit(studio.model.outline.lane.network.layer("conv1"), None)
    spread = tuple(Neuron("conv1", i) for i in range(6))
    until(qtbot, lambda: studio.last_frame.lanes[0].neurons == spread)
    assert studio.strip._labels == tuple(f"conv1:{i}" for i in range(6))
    assert picker_of(studio).shown() == studio.last_frame.lanes[0].neurons


# Display


def test_the_display_changes_while_paused(studio, qtbot):
    paused(studio, qtbot)
    frame = studio.last_frame
    shown = studio.canvas.grab().toImage()
    thumbnails = frame.lanes[0].thumbnails.copy()
    studio.controller.set_display(Display(SIGNED, 2.0))
    until(qtbot, lambda: not np.array_equal(studio.last_frame.lanes[0].thumbnails, thumbnails))
    assert studio.last_frame.step == frame.step
    assert studio.canvas.grab().toImage() != shown
    pixels = studio.model.outline.lane.network.pixels
    expected = to_bytes(studio.last_frame.lanes[0].raw, pixels, SIGNED, 2.0)
    assert np.array_equal(studio.last_frame.lanes[0].thumbnails[studio.model.front], expected)


def test_a_resting_session_is_not_painted_all_the_time(studio, qtbot, monkeypatch):
    paused(studio, qtbot)
    monkeypatch.setattr(link, "RESTING_S", 60)
    before = studio.frames.count
    with qtbot.waitSignal(studio.pace.timer.timeout):
        pass
    with qtbot.waitSignal(studio.pace.timer.timeout):
        pass
    assert studio.frames.count <= before + 1


# Panels and reach


def test_everything_that_can_be_operated_has_a_name_and_can_be_reached(studio):
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit)
    nameless, unreachable = [], []
    for kind in kinds:
        for widget in studio.findChildren(kind):
            # A field inside a spin box and a sign inside a field are named by their owner.
            inner = isinstance(widget.parent(), QLineEdit | QAbstractSpinBox)
            if not widget.isVisible() or inner or isinstance(widget, QScrollBar):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text or widget.toolTip()):
                nameless.append((type(widget.parent()).__name__, widget.objectName()))
            in_toolbar = studio.toolbar.isAncestorOf(widget)
            if widget.focusPolicy() == Qt.FocusPolicy.NoFocus and not in_toolbar:
                unreachable.append((type(widget).__name__, widget.objectName(), text))
    assert nameless == []
    # Buttons inside list headers, combo boxes and the like are reached through their owner.
    assert [u for u in unreachable if not u[1].startswith("qt_")] == []
    assert studio.canvas.accessibleName() and studio.strip.accessibleName()


def test_small_windows_keep_images_and_settings(studio, qtbot):
    studio.resize(900, 600)
    until(qtbot, lambda: not studio.panels.shows("neurons"))
    assert not studio.panels.shows("traces")
    assert studio.panels.shows("controls")
    studio.actions_by_name["show_neurons"].trigger()
    assert studio.panels.shows("neurons")
    studio.actions_by_name["show_neurons"].trigger()
    assert not studio.panels.shows("neurons")
    studio.resize(1200, 800)
    assert studio.panels.shows("traces")
    # Hidden by hand stays hidden.
    assert not studio.panels.shows("neurons")


def test_presentation_comes_and_goes(studio, qtbot):
    QTest.keyClick(studio, Qt.Key.Key_F11)
    assert studio.isFullScreen()
    assert not studio.toolbar.isVisible()
    assert not studio.panels.shows("controls")
    bar = studio.findChild(PresentationBar)
    assert bar.isVisible()
    assert [b.text() for b in bar.findChildren(QToolButton)] == ["Pause", "Melt", "Leave"]
    QTest.keyClick(studio.canvas, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert not studio.isFullScreen()
    assert studio.toolbar.isVisible()
    assert studio.panels.shows("controls")


def test_a_presentation_is_steered_with_the_four_main_sliders(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    window.actions_by_name["presentation"].setChecked(True)
    bar = window.findChild(PresentationBar)
    rows = bar.findChildren(NumberRow)
    names = ["temperature", "step_size", "l2", "discriminator_weight"]
    assert [row.setting.name for row in rows] == names
    for row in rows:
        before = getattr(window.model.outline.lane.settings, row.setting.name)
        assert row.isVisible()
        assert row.slider.value() == controls(window).rows[row.setting.name].slider.value()
        row.slider.setValue(row.slider.value() // 2 + 100)
        assert getattr(window.model.outline.lane.settings, row.setting.name) != before
        assert row.field.text() == controls(window).rows[row.setting.name].field.text()
    pause, melt, leave = bar.findChildren(QToolButton)
    melt.click()
    until(qtbot, lambda: window.last_frame.melting)
    pause.click()
    until(qtbot, lambda: window.model.run_state.value == "paused")
    assert pause.text() == "Play"
    leave.click()
    assert not window.isFullScreen()
    assert not window.presentation.is_on


def test_ten_thumbnails_fit_the_first_window_at_twice_their_size(make_window, qtbot):
    window = make_window()
    window.resize(1280, 820)
    open_in(window, qtbot, small_opening("fc3:0-9"))
    until(qtbot, lambda: window.strip.layout_now.thumbs[0].width() == 56)


def test_thumbnails_use_the_height_there_is_until_the_user_chooses_one(studio, qtbot):
    sizes = studio.panels.middle.sizes
    studio.resize(1400, 800)
    until(qtbot, lambda: studio.strip.layout_now.thumbs[0].width() == 56)
    traces = sizes()[2]
    studio.resize(2400, 1400)
    until(qtbot, lambda: studio.strip.layout_now.thumbs[0].width() == 112)
    assert sizes()[2] == traces
    studio.resize(1400, 800)
    until(qtbot, lambda: studio.strip.layout_now.thumbs[0].width() == 56)
    handle = studio.panels.middle.handle(1)
    QTest.mousePress(handle, Qt.MouseButton.LeftButton)
    QTest.mouseMove(handle, QPoint(0, -60))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=QPoint(0, -60))
    own = sizes()[1]
    assert own > 110
    studio.resize(1400, 1000)
    until(qtbot, lambda: sum(sizes()) > 900)
    assert sizes()[1] == own


def test_a_hidden_window_spares_the_machine(studio, qtbot):
    studio.hide()
    until(qtbot, lambda: studio.controller.runner._max_rate == 20)
    assert studio.pace.timer.interval() == 500
    studio.show()
    until(qtbot, lambda: studio.controller.runner._max_rate == 0)


def test_what_the_engine_refuses_is_said_and_not_shown(studio, qtbot):
    before = studio.model.outline.lane.neurons
    studio.controller.set_neurons((Neuron("fc3", 0), Neuron("conv1", 0), Neuron("fc3", 1)))
    until(qtbot, lambda: studio.banner.texts() != ())
    assert "one layer" in studio.banner.texts()[0]
    until(qtbot, lambda: studio.model.outline.lane.neurons == before)
    assert picker_of(studio).shown() == before


def test_a_note_about_an_example_goes_with_its_neurons(make_window, qtbot):
    from dataclasses import replace

    window = open_in(make_window(), qtbot, replace(small_opening(), note="Of these neurons."))
    assert "note" in window.banner._rows
    picker_of(window).chosen.emit(Neuron("conv1", 2))
    assert "note" not in window.banner._rows


def test_neurons_without_a_gradient_are_said_once_and_go_with_the_choice(studio, qtbot):
    paused(studio, qtbot)
    frame = studio.last_frame
    dead = np.array([True, False, False])
    silent = altered(frame, dead=dead, silence="fc3:0 gives no gradient.")
    studio.views.show_frame(silent)
    assert "fc3:0 gives no gradient." in studio.banner.texts()
    assert "no gradient" in [badge.text for badge in studio.canvas._badges[0]]
    studio.banner.dismiss("silence")
    studio.views.show_frame(silent)
    assert "fc3:0 gives no gradient." not in studio.banner.texts()
    studio.views.show_frame(altered(silent, silence="fc3:0 was woken.", dead=~dead))
    assert "fc3:0 was woken." in studio.banner.texts()
    # Other weights, or another start, begin anew.
    studio.views.show_frame(altered(silent, silence="", dead=~dead))
    assert "fc3:0 was woken." not in studio.banner.texts()
    studio.views.show_frame(silent)
    studio.controller.set_neurons(Neuron("fc3", 4))
    assert "fc3:0 gives no gradient." not in studio.banner.texts()


def test_leaving_the_presentation_gives_the_panels_their_heights_back(studio, qtbot):
    before = studio.panels.middle.sizes()
    studio.actions_by_name["presentation"].setChecked(True)
    studio.actions_by_name["presentation"].setChecked(False)
    until(qtbot, lambda: not studio.isFullScreen())
    after = studio.panels.middle.sizes()
    assert after[2] >= 0.8 * before[2]


def test_taking_the_handle_at_its_edge_changes_nothing(studio, qtbot):
    slider = controls(studio).rows["l2"].slider
    value, handle = slider.value(), slider._handle()
    edge = handle.center() + QPoint(handle.width() // 2 - 1, 0)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=edge)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=edge)
    assert slider.value() == value


def test_while_a_session_opens_nothing_is_offered_that_cannot_be_done(make_window, qtbot):
    window, may_open = make_window(), threading.Event()
    session = dataclasses.replace(small_opening(), title="Large", hint="Press K to melt")

    def make():
        may_open.wait(60)
        return session.make()

    try:
        window.open(dataclasses.replace(session, make=make))
        show(window, qtbot)
        assert window.canvas._hint == ""
        assert traces_of(window)._empty.text() == "Opening “Large” …"
    finally:
        may_open.set()
    until(qtbot, lambda: window.last_frame is not None and window.last_frame.step > 0)
    assert window.canvas._hint == "Press K to melt"
    assert traces_of(window)._empty.text() == "No steps yet. Space starts the chains."
    # As over a session that another one takes the place of.
    may_open.clear()
    try:
        window.open(dataclasses.replace(session, make=make))
        assert window.canvas._hint == ""
        assert traces_of(window)._empty.text() == "Opening “Large” …"
    finally:
        may_open.set()


def test_messages_lie_over_the_images_and_move_nothing(studio, qtbot):
    canvas = studio.canvas
    place = canvas.mapTo(studio, QPoint()), canvas.size()
    studio.banner.say("The disk is full; " * 20, "danger")
    until(qtbot, studio.banner.isVisible)
    QApplication.processEvents()
    assert (canvas.mapTo(studio, QPoint()), canvas.size()) == place
    assert studio.banner.width() == canvas.width()
    studio.resize(1300, 700)
    until(qtbot, lambda: canvas.width() != place[1].width())
    assert studio.banner.width() == canvas.width()


def test_the_start_session_opens_whatever_has_the_focus(studio, qtbot):
    field = picker_of(studio).findChild(QLineEdit)
    field.setFocus()
    until(qtbot, field.hasFocus)
    QTest.keyClick(field, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    until(qtbot, lambda: studio.model.title == "Ten digits")
