"""Two networks side by side in the window."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PyQt6.QtCore import QPoint, QPointF
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel
from torch import nn

from gui.windows import (
    close_saved,
    comparing,
    controls,
    open_in,
    paused,
    picker_of,
    small_opening,
    traces_of,
    until,
)
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.compare.bar import CompareBar
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import largest
from ldam_studio.gui.session.model import SIGNED, Display
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture(scope="module")
def averaged():
    return open_network("lenet-averaged")


def other(shape=(1, 28, 28)):
    """Return a small network that has none of LeNet's layers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 4))
    return Network("other", module, PixelSpec(*shape, (0.5,) * shape[0], (0.5,) * shape[0]))


@pytest.fixture
def compared(studio, qtbot, averaged):
    """Give a window in which LeNet is compared with its averaged twin."""
    return compare(studio, qtbot, averaged)


def compare(window, qtbot, network, **given):
    window.controller.compare(network, **given)
    until(qtbot, lambda: shown_beside(window) and window.last_frame.lanes[1].samples.all())
    return window


def test_names_have_the_room_that_large_type_needs(qtbot):
    bar = CompareBar()
    qtbot.addWidget(bar)
    bar.show_titles("epoch 0.668", "epoch 0.033")
    bar.resize(1200, 60)
    bar.show()
    font = bar.font()
    font.setPointSizeF(2 * font.pointSizeF())
    bar.setFont(font)
    qtbot.waitUntil(lambda: {"epoch 0.668", "epoch 0.033"} <= _texts(bar))


def _texts(widget):
    return {label.text() for label in widget.findChildren(QLabel)}


def shown_beside(window):
    return window.last_frame is not None and len(window.last_frame.lanes) > 1


def settings_of(window):
    """Return the settings of both lanes as the sampler has them."""
    state = window.controller.ask(snapshot).result(20)
    return tuple(lane.settings for lane in state.lanes)


def _two_rows_and_a_difference_with_one_zoom(compared):
    canvas = compared.canvas
    rects = canvas.image_rects()
    assert len(rects) == 5
    assert len({(r.width(), r.height()) for r in rects}) == 1
    tops, lefts = [r.top() for r in rects], [r.left() for r in rects]
    assert tops[0] == tops[1] < tops[4] < tops[2] == tops[3]
    assert lefts[0] == lefts[2] < lefts[1] == lefts[3] < lefts[4]
    at = QPointF(rects[3].center())
    canvas.zoom_by(2, at)
    zoomed = canvas.image_rects()
    assert zoomed[0].width() > rects[0].width()
    assert len({(r.width(), r.height()) for r in zoomed}) == 1
    assert comparing(compared).bar.isVisible()
    assert comparing(compared).bar.titles == ("lenet", "lenet-averaged")
    canvas.fit()


def test_the_same_network_gives_the_same_images_and_no_difference(studio, qtbot):
    compare(studio, qtbot, studio.model.outline.lane.network)
    frame = paused(studio, qtbot).last_frame
    assert np.array_equal(frame.lanes[0].raw, frame.lanes[1].raw)
    assert np.array_equal(frame.lanes[0].average, frame.lanes[1].average)
    assert comparing(studio).bar.titles == ("lenet", "lenet · other settings")
    colours = np.unique([studio.canvas._shown.images[4].pixel(x, 9) for x in range(28)])
    assert len(colours) == 1


def _both_rows_are_shown_at_one_scale(compared, qtbot):
    compared.controller.set_display(Display(SIGNED))
    paused(compared, qtbot)
    frame, images = compared.last_frame, compared.canvas._shown.images
    far = max(abs(frame.lanes[0].raw).max(), abs(frame.lanes[1].raw).max())
    for image, raw in ((images[0], frame.lanes[0].raw), (images[2], frame.lanes[1].raw)):
        level = (image.pixel(3, 5) & 255) / 255
        assert level == pytest.approx(0.5 + 0.5 * raw[0, 5, 3] / far, abs=0.01)


def test_both_are_shown_alike(compared, qtbot):
    _two_rows_and_a_difference_with_one_zoom(compared)
    _the_readout_has_both_lanes(compared, qtbot)
    _both_rows_are_shown_at_one_scale(compared, qtbot)
    _a_title_without_room_is_told(compared)


def _a_title_without_room_is_told(compared):
    canvas = compared.canvas
    canvas.set_details("", "last 150 of 3,000 samples")
    ratio, title = canvas.devicePixelRatioF(), canvas._panes.layout.titles[1]
    tip = canvas.tip_at((QPointF(title.center()) / ratio).toPoint())
    assert tip == "A  Average  last 150 of 3,000 samples"
    assert canvas.tip_at(QPoint(0, 0)) == ""


def _the_readout_has_both_lanes(compared, qtbot):
    paused(compared, qtbot)
    rect = compared.canvas.image_rects()[4]
    cell = rect.width() // 28
    QTest.mouseMove(compared.canvas, QPoint(rect.left() + cell // 2, rect.top() + cell // 2))
    one, two = compared.last_frame.lanes
    assert compared.canvas.readout() == (
        f"x 0   y 0   A raw {one.raw[0, 0, 0]:.3f}   average {one.average[0, 0, 0]:.3f}   "
        f"B raw {two.raw[0, 0, 0]:.3f}   average {two.average[0, 0, 0]:.3f}"
    )


def _settings_act_on_both_or_on_one(compared, qtbot):
    controller, panel = compared.controller, controls(compared)
    controller.set_value("l2", 0.2)
    comparing(compared).bar.button(1).click()
    controller.set_value("l2", 0.4)
    controller.set_value("clamp", True)
    assert [s.l2 for s in settings_of(compared)] == [0.2, 0.4]
    assert [s.clamp for s in settings_of(compared)] == [False, True]
    assert panel.rows["l2"].field.text() == "0.4"
    # Whose settings they are is to be seen where they are set.
    assert panel.headings["Sampler"].text() == "Sampler of B"
    assert panel.rows["l2"].slider.property("lane") == "B"
    assert panel.rows["clamp"].box.isChecked()
    comparing(compared).bar.button(0).click()
    assert panel.rows["l2"].field.text() == "0.2"
    comparing(compared).bar.button(None).click()
    assert panel.headings["Sampler"].text() == "Sampler of both"
    assert panel.rows["l2"].field.text() == "mixed"
    assert not panel.rows["clamp"].box.isChecked()
    panel.rows["l2"].slider.turned.emit(1)
    first, second = (s.l2 for s in settings_of(compared))
    assert second / first == pytest.approx(2, rel=0.02) and first > 0.2
    controller.set_value("l2", 0.1)
    assert [s.l2 for s in settings_of(compared)] == [0.1, 0.1]


def _undo_brings_each_lane_back(compared, qtbot):
    controller = compared.controller
    controller.act_on(None)
    controller.set_value("clamp", False)
    controller.act_on(1)
    controller.set_value("l2", 0.4)
    before = settings_of(compared)
    controller.act_on(None)
    controller.set_values({"l2": 0.1, "temperature": 0.3})
    assert [s.l2 for s in settings_of(compared)] == [0.1, 0.1]
    controller.undo()
    assert settings_of(compared) == before
    controller.undo()
    first, second = settings_of(compared)
    assert first == second
    controller.redo()
    before = settings_of(compared)
    controller.end_comparison()
    assert len(settings_of(compared)) == 1
    controller.undo()
    assert settings_of(compared) == before
    until(qtbot, lambda: compared.model.is_comparing)
    controller.redo()
    assert not compared.model.is_comparing
    assert len(settings_of(compared)) == 1


def test_settings_and_undo(compared, qtbot):
    _settings_act_on_both_or_on_one(compared, qtbot)
    _undo_brings_each_lane_back(compared, qtbot)


def test_the_picker_chooses_for_what_is_acted_on(compared, qtbot):
    controller, picker = compared.controller, picker_of(compared)
    picker.choose(Neuron("fc2", 3))
    first, beside = compared.model.outline.lanes
    assert first.neurons == beside.neurons == (Neuron("fc2", 3),) * 3
    controller.act_on(1)
    assert picker.network is beside.network
    picker.choose(Neuron("fc1", 7))
    until(qtbot, lambda: compared.last_frame.lanes[1].neurons[0] == Neuron("fc1", 7))
    assert compared.last_frame.lanes[0].neurons == (Neuron("fc2", 3),) * 3
    controller.act_on(0)
    assert picker.network is first.network
    assert picker.shown() == (Neuron("fc2", 3),) * 3
    picker.choose(Neuron("fc3", 2))
    until(qtbot, lambda: compared.last_frame.lanes[0].neurons[0] == Neuron("fc3", 2))
    assert compared.last_frame.lanes[1].neurons == (Neuron("fc1", 7),) * 3
    controller.set_neurons((Neuron("fc3", 0), Neuron("fc3", 1)))
    assert "the same number of chains, here 3" in compared.banner.texts()[-1]


def test_neurons_of_each_lane_come_back_after_fewer_for_both(compared):
    controller, model = compared.controller, compared.model
    controller.act_on(1)
    controller.set_neurons(tuple(Neuron("fc1", i) for i in (4, 0, 7)))
    controller.act_on(None)
    before = model.outline
    controller.set_neurons((Neuron("fc2", 2), Neuron("fc2", 3)))
    after = model.outline
    assert after.chains == 2
    controller.undo()
    assert model.outline == before
    controller.redo()
    assert model.outline == after


def test_a_network_without_the_neuron_says_so_and_offers_its_picker(studio, qtbot):
    network = other()
    compare(studio, qtbot, network)
    said = "other has no neuron fc3:0 and shows 1:0 to 1:2 instead; choose another."
    assert said in studio.banner.texts()
    assert studio.last_frame.lanes[1].neurons == network.default_neurons(3)
    comparing(studio)._choose_in_b()
    assert studio.model.acting == 1
    assert picker_of(studio).network is network
    picker_of(studio).choose(Neuron("1", 3))
    until(qtbot, lambda: studio.last_frame.lanes[1].neurons[0] == Neuron("1", 3))
    studio.controller.end_comparison()
    assert said not in studio.banner.texts()


def test_a_network_of_other_images_is_refused(compared, qtbot):
    small = other((1, 14, 14))
    with pytest.raises(StudioError, match="takes images of 1 x 14 x 14, lenet of 1 x 28 x 28"):
        compared.controller.compare(small)
    comparing(compared)._compare(small, None)
    assert "only networks that take images of one size" in compared.banner.texts()[-1]
    with pytest.raises(StudioError, match="1 x 14 x 14"):
        compared.controller.set_network(small)
    assert compared.model.outline.lanes[1].network.name == "lenet-averaged"


def test_more_chains_are_more_in_both(compared, qtbot):
    compared.controller.set_value("chains", 5)
    until(qtbot, lambda: len(compared.last_frame.lanes[1].neurons) == 5)
    until(qtbot, lambda: len(compared.model.outline.lanes[1].neurons) == 5)
    assert len(compared.model.outline.lane.neurons) == 5


def _the_traces_have_a_line_for_the_second_and_a_legend(compared, qtbot):
    traces = traces_of(compared)
    until(qtbot, lambda: len(compared.last_frame.lanes[1].trace.steps) > 0)
    until(
        qtbot,
        lambda: len(traces._run.lanes) > 1 and len(traces._run.lanes[1].view(False).steps) > 4,
    )
    traces.redraw()
    plot = traces._plots[0]
    steps, values = plot._comparison.getData()
    assert len(steps) > 0 and np.isfinite(values).all()
    assert not traces._legend.isHidden()
    assert "A" in traces._legend.text() and "B" in traces._legend.text()
    compared.actions_by_name["end_comparison"].trigger()
    until(qtbot, lambda: len(compared.last_frame.lanes) == 1)
    traces.redraw()
    assert plot._comparison.getData()[0] is None or not len(plot._comparison.getData()[0])
    assert traces._legend.isHidden()


def _the_strip_has_the_chains_of_the_first_or_of_both(compared, qtbot):
    strip = compared.strip
    assert not strip.has_rows
    compared.actions_by_name["strip_both"].setChecked(True)
    assert strip.has_rows and len(strip.layout_now.thumbs) == 6
    until(qtbot, lambda: strip._atlas is not None)
    strip.chosen.emit(5)
    assert compared.model.front == 2
    until(qtbot, lambda: [lane.front for lane in compared.last_frame.lanes] == [2, 2])


def test_fewer_frames_are_drawn_while_two_networks_share_the_machine(studio, qtbot):
    alone = studio.pace.timer.interval()
    compare(studio, qtbot, studio.model.outline.lane.network)
    both = studio.pace.timer.interval()
    assert alone < both <= 1000 / 15
    studio.hide()
    assert studio.pace.timer.interval() > both
    studio.show()
    assert studio.pace.timer.interval() == both
    studio.controller.end_comparison()
    assert studio.pace.timer.interval() == alone


def test_strip_and_traces_follow_until_the_comparison_ends(compared, qtbot):
    _the_strip_has_the_chains_of_the_first_or_of_both(compared, qtbot)
    _the_traces_have_a_line_for_the_second_and_a_legend(compared, qtbot)
    assert comparing(compared).bar.isHidden()
    assert len(compared.canvas.image_rects()) == 2
    assert len(compared.strip.layout_now.thumbs) == 3
    assert not compared.actions_by_name["act_on_b"].isEnabled()


def _other_settings_of_the_same_network(studio, qtbot):
    studio.actions_by_name["compare_settings"].trigger()
    assert comparing(studio).bar.titles == ("lenet", "lenet · other settings")
    assert studio.model.acting == 1
    studio.controller.set_value("temperature", 0.7)
    assert [s.temperature for s in settings_of(studio)][1] == 0.7


def test_a_checkpoint_beside_the_present_goes_on_from_its_pixels(studio, qtbot, averaged):
    until(qtbot, lambda: studio.last_frame.step > 3)
    step = studio.last_frame.step
    compare(studio, qtbot, averaged, title="epoch 3", restart=False)
    assert studio.last_frame.step > step
    assert comparing(studio).bar.titles[1] == "epoch 3"
    _other_settings_of_the_same_network(studio, qtbot)


def test_the_dialog_opens_what_is_compared_with(studio, qtbot):
    dialog = comparing(studio).ask()
    assert dialog.windowTitle() == "Compare With"
    assert dialog.open_button.text() == "Compare"
    # Beside itself it would show nothing: its twin is chosen.
    assert dialog.source.name == "lenet-averaged"
    assert dialog.source.built_in.list.horizontalScrollBar().maximum() == 0
    dialog.load(and_open=True)
    until(qtbot, lambda: shown_beside(studio))
    assert studio.model.outline.lanes[1].network.name == "lenet-averaged"


def test_the_last_session_comes_back_with_both(make_window, qtbot, tmp_path, averaged):
    store = SessionStore(tmp_path)
    window = open_in(make_window(store=store), qtbot, small_opening())
    compare(window, qtbot, averaged)
    window.controller.act_on(1)
    window.controller.set_value("l2", 0.3)
    settings_of(window)
    close_saved(window, qtbot)
    again = make_window(store=SessionStore(tmp_path))
    open_in(again, qtbot, again.recall().opening)
    until(qtbot, lambda: shown_beside(again))
    first, beside = again.model.outline.lanes
    assert beside.network.name == "lenet-averaged"
    assert beside.settings.l2 == 0.3 != first.settings.l2
    assert comparing(again).bar.isVisible()


def test_the_largest_of_a_setting_in_any_chain_of_any_lane():
    assert largest(0.5) == 0.5
    assert largest(PerLane((0.2, (0.1, 0.7)))) == 0.7
