"""A window over a session that runs a schedule."""

import functools
from dataclasses import replace

import pytest

from gui.windows import CPU, controls, open_in, paused, until
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.gui.session.model import IMAGE, Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.settings.schedule_panel import SHOWN_WITH
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.schedule import CURVE_OF
from ldam_studio.sampler.settings import Settings

LONG = 100_000  # steps, so that the schedule does not end during a test


@functools.cache
def vgg() -> Network:
    """Return the VGG, opened once for all tests, which must not change it."""
    return open_network("vgg")


def opening(**settings):
    chosen = Settings.of(
        **{
            "schedule": LONG,
            "step_size": 0.02,
            "step_size_start": 0.2,
            "resolution_start": 24,
            "coarse_share": 1.0,
            "clamp": True,
            "threshold": 0.0,
            **settings,
        }
    )

    def make():
        neurons = vgg().default_neurons(2)
        return open_session(SessionSpec(vgg(), neurons, chosen, device=CPU))

    return Opening("Scheduled", make, Display(IMAGE))


@pytest.fixture
def scheduled(make_window, qtbot):
    return open_in(make_window(), qtbot, opening())


def present(window, name):
    return controls(window).rows[name].present.text()


def follows(window):
    return window.last_frame.lanes[0].now.keys()


def test_rows_and_status_bar_show_the_present_values(scheduled, qtbot):
    until(qtbot, lambda: present(scheduled, "step_size") == "now 0.2")
    assert present(scheduled, "resolution") == "now 24" and not present(scheduled, "l2")
    assert controls(scheduled).rows["step_size"].field.text() == "0.02"
    assert f"of {LONG:,}" in scheduled.status.progress.text()


def test_a_dragged_slider_leaves_the_schedule_and_undo_puts_it_back(scheduled, qtbot):
    scheduled.controller.set_value("step_size", 0.05)
    until(qtbot, lambda: follows(scheduled) == {"resolution"})
    until(qtbot, lambda: present(scheduled, "step_size") == "by hand")
    scheduled.controller.undo()
    until(qtbot, lambda: follows(scheduled) == {"step_size", "resolution"})
    assert scheduled.model.outline.lane.settings.step_size == 0.02
    scheduled.controller.redo()
    until(qtbot, lambda: follows(scheduled) == {"resolution"})


def test_a_preset_with_a_schedule_runs_it_from_the_present_picture(scheduled, qtbot):
    values = {"schedule": LONG, "step_size": 0.03, "step_size_start": 0.2, "l2": 0.1}
    scheduled.controller.apply_preset(replace(PRESETS["explore"], settings=values))
    until(qtbot, lambda: scheduled.model.outline.lane.settings.step_size == 0.03)
    until(qtbot, lambda: "step_size" in follows(scheduled))
    log = scheduled.controller.ask(lambda state: [e.name for e in state.log]).result(30)
    assert log == ["step_size", "l2", "run_schedule", "reset_average"]


def test_images_of_every_resolution_have_the_same_place(scheduled, qtbot):
    canvas, strip = scheduled.canvas, scheduled.strip
    places, thumbs = canvas.image_rects(), strip.layout_now.thumbs
    for side in (32, 40):
        scheduled.controller.set_value("resolution", side)
        until(qtbot, lambda side=side: scheduled.last_frame.lanes[0].raw.shape == (3, side, side))
        assert canvas.image_rects() == places and strip.layout_now.thumbs == thumbs


def test_pixel_values_are_those_under_the_pointer(scheduled, qtbot):
    paused(scheduled, qtbot)
    words = scheduled.canvas.readout
    raw = scheduled.last_frame.lanes[0].raw
    scheduled.canvas._cursor = scheduled.canvas.image_rects()[0].bottomRight().toPointF()
    assert words().startswith("x 31   y 31")
    assert " ".join(f"{value:.3f}" for value in raw[:, -1, -1]) in words()


def test_lanes_of_two_resolutions_are_compared(scheduled, qtbot):
    scheduled.controller.compare(scheduled.model.outline.lane.network)
    until(qtbot, lambda: len(scheduled.last_frame.lanes) == 2)
    scheduled.model.set_acting(1)
    scheduled.controller.set_value("resolution", 40)
    until(qtbot, lambda: scheduled.last_frame.lanes[1].raw.shape == (3, 40, 40))
    until(qtbot, lambda: scheduled.canvas.difference_scale is not None)
    assert scheduled.last_frame.lanes[0].raw.shape == (3, 24, 24)


def test_what_has_no_effect_on_a_hidden_neuron_is_said_beside_the_setting(scheduled, qtbot):
    rows = controls(scheduled).rows
    scheduled.controller.set_neurons(Neuron("conv1_2", 3))
    until(qtbot, lambda: "sees only a part" in rows["resolution_start"].note.text())
    assert present(scheduled, "resolution") == "" and present(scheduled, "step_size")
    assert not scheduled.banner.texts()
    scheduled.controller.set_values({"views_of": "field", "view_flip": True})
    until(qtbot, lambda: "too small" in rows["view_flip"].toolTip())
    scheduled.controller.set_neurons(Neuron("conv1_2", 3, "mean"))
    until(qtbot, lambda: not rows["resolution_start"].note.text())
    until(qtbot, lambda: "too small" not in rows["view_flip"].toolTip())


def row(window, name):
    return controls(window).rows[name]


def logged(window):
    return window.controller.ask(lambda state: [e.json()[1:] for e in state.log]).result(30)


def test_the_handle_follows_the_schedule_and_a_mark_is_the_own_value(scheduled, qtbot):
    step, scale = row(scheduled, "step_size"), row(scheduled, "step_size").scale
    until(qtbot, lambda: step.slider.value() == scale.position(0.2))
    assert step.slider.mark == scale.position(0.02) and step.field.text() == "0.02"
    assert row(scheduled, "l2").slider.mark is None
    step.slider.turned.emit(-1)  # the wheel turns on from where the handle is
    until(qtbot, lambda: step.slider.mark is None)
    assert scheduled.model.outline.lane.settings.step_size == pytest.approx(0.179)


def test_a_setting_that_was_taken_over_is_put_back_by_a_button(scheduled, qtbot):
    button = row(scheduled, "step_size").offer
    scheduled.controller.set_value("step_size", 0.05)
    until(qtbot, lambda: not button.isHidden())
    button.click()
    until(qtbot, lambda: present(scheduled, "step_size") == "now 0.2" and button.isHidden())
    scheduled.controller.undo()
    until(qtbot, lambda: present(scheduled, "step_size") == "by hand")
    assert logged(scheduled)[-1] == ["leave_schedule", "step_size"]
    scheduled.controller.redo()
    until(qtbot, lambda: present(scheduled, "step_size") == "now 0.2")


def test_a_setting_is_taken_over_at_its_own_value(scheduled, qtbot):
    until(qtbot, lambda: "step_size" in follows(scheduled))
    scheduled.controller.set_value("step_size", 0.02)
    until(qtbot, lambda: follows(scheduled) == {"resolution"})
    scheduled.controller.undo()
    until(qtbot, lambda: "step_size" in follows(scheduled))
    scheduled.controller.redo()
    until(qtbot, lambda: "step_size" not in follows(scheduled))


def test_a_schedule_is_stopped_goes_on_and_begins_again(scheduled, qtbot):
    panel = controls(scheduled).schedule
    until(qtbot, lambda: panel.stop.isEnabled() and scheduled.last_frame.lanes[0].clock > 2)
    panel.stop.click()
    until(qtbot, lambda: panel.stop.text() == "Continue")
    at = scheduled.last_frame.lanes[0].clock
    until(qtbot, lambda: ", stopped" in scheduled.status.progress.text())
    begun = scheduled.last_frame.step
    until(qtbot, lambda: scheduled.last_frame.step > begun + 3)
    assert scheduled.last_frame.lanes[0].clock == at
    panel.stop.click()
    until(qtbot, lambda: scheduled.last_frame.lanes[0].clock > at)
    scheduled.controller.undo()
    until(qtbot, lambda: scheduled.last_frame.lanes[0].held)
    scheduled.controller.redo()
    until(qtbot, lambda: not scheduled.last_frame.lanes[0].held)
    before = scheduled.last_frame.step
    panel.start.click()
    until(qtbot, lambda: scheduled.last_frame.step - scheduled.last_frame.lanes[0].clock >= before)
    names = [name for name, *_ in logged(scheduled)]
    assert names == ["hold_schedule"] * 4 + ["run_schedule"]
    stop = scheduled.actions_by_name["stop_schedule"]
    until(qtbot, lambda: stop.text() == "Stop Schedule" and stop.isEnabled())
    stop.trigger()
    until(qtbot, lambda: stop.text() == "Continue Schedule")


def test_only_the_settings_of_the_shape_are_shown(scheduled, qtbot):
    def shown():
        return {name for name in SHOWN_WITH if not row(scheduled, name).isHidden()}

    assert "schedule" in shown() and not {"cycle_growth", "step_size_curve"} & shown()
    row(scheduled, "schedule_shape").chosen.emit("schedule_shape", "cycles")
    assert {"schedule", "cycle_growth", "step_size_start"} <= shown()
    scheduled.controller.undo()
    assert "schedule" in shown() and "cycle_growth" not in shown()
    scheduled.controller.set_value("schedule_shape", "curves")
    assert shown() == set(CURVE_OF.values())


def test_a_curve_that_leaves_the_range_is_refused_where_it_was_typed(scheduled, qtbot):
    scheduled.controller.set_value("schedule_shape", "curves")
    curve = row(scheduled, "step_size_curve")
    curve.field.setText("0:1, 40:20")
    curve.field.setModified(True)
    curve.field.editingFinished.emit()
    assert curve.note.text().startswith("Step size curve must lie between")
    assert scheduled.model.outline.lane.settings.step_size_curve == ""
    curve.field.setText("0:1, 40:.2")
    curve.field.setModified(True)
    curve.field.editingFinished.emit()
    assert not curve.note.text() and curve.field.text() == "0:1, 40:0.2"
    until(qtbot, lambda: follows(scheduled) == {"step_size"})
    assert scheduled.last_frame.lanes[0].clock < 1_000  # it begins with the curve
