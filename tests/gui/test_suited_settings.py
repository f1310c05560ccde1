"""Settings follow the neuron when it is chosen: one sentence, one change to take back."""

from __future__ import annotations

import pytest

from gui.windows import compare_with_itself, open_in, small_opening, until
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.presets import PRESETS

SHARE = 5 / 28  # what a filter of LeNet's first layer sees of the image's side
GIVEN = {"jitter": 7, "smoothness": 0.1, "discriminator_weight": 0.75}
CONV1, FC2, FC3 = Neuron("conv1", 2), Neuron("fc2", 1), Neuron("fc3", 4)


def settings(window):
    return window.controller.ask(lambda state: state.lane.settings).result(30)


def said(window):
    return [text for text in window.banner.texts() if "undoing" in text]


@pytest.fixture
def judged(make_window, qtbot):
    return open_in(make_window(), qtbot, small_opening(discriminator=True, **GIVEN))


def test_a_filter_gets_small_views_little_smoothness_and_no_discriminator(judged, qtbot):
    before = settings(judged)
    judged.controller.set_neurons(CONV1)
    found = settings(judged)
    assert found.views_of == "field" and found.jitter == 7
    assert found.smoothness == pytest.approx(0.1 * SHARE, rel=1e-3)
    assert found.discriminator_weight == 0
    (sentence,) = said(judged)
    assert "conv1" in sentence and "0.01786" in sentence and "no weight" in sentence
    until(qtbot, lambda: "At most 1 pixel" in judged.last_frame.lanes[0].notes.get("jitter", ""))
    judged.actions_by_name["undo"].trigger()
    assert not said(judged)
    until(qtbot, lambda: settings(judged) == before)
    assert judged.model.outline.lane.neurons[0].layer == "fc3"
    judged.actions_by_name["redo"].trigger()
    until(qtbot, lambda: settings(judged) == found)


def test_classes_get_back_what_they_had(judged):
    judged.controller.set_neurons(CONV1)
    judged.controller.set_neurons(FC2)
    assert settings(judged).smoothness == pytest.approx(0.1)
    assert settings(judged).discriminator_weight == 0
    judged.controller.set_neurons(FC3)
    assert settings(judged).discriminator_weight == 0.75
    assert "weight of 0.75 again" in said(judged)[0]
    judged.controller.set_neurons(Neuron("fc3", 5))
    assert settings(judged).smoothness == pytest.approx(0.1) and not said(judged)


def test_what_is_set_by_hand_stays_until_another_layer_is_chosen(judged):
    judged.controller.set_neurons(CONV1)
    judged.controller.set_values({"smoothness": 0.2, "discriminator_weight": 0.3})
    judged.controller.set_neurons(Neuron("conv1", 3))
    assert settings(judged).smoothness == 0.2 and settings(judged).discriminator_weight == 0.3
    judged.controller.set_neurons(FC3)
    assert settings(judged).discriminator_weight == 0.3


def test_a_preset_suits_the_neuron_that_is_shown(judged):
    judged.controller.set_neurons(CONV1)
    judged.controller.apply_preset(PRESETS["explore"])
    found = settings(judged)
    assert found.smoothness == pytest.approx(0.1 * SHARE, rel=1e-3)
    assert found.discriminator_weight == 0
    judged.controller.apply_preset(PRESETS["paper"])
    assert settings(judged).discriminator_weight == 0
    judged.controller.set_neurons(FC3)
    assert settings(judged).discriminator_weight == 0.8


def test_without_such_settings_nothing_changes(studio):
    before = settings(studio)
    studio.controller.set_neurons(CONV1)
    assert settings(studio) == before and not said(studio)


def test_each_compared_lane_keeps_its_own_values_in_proportion(judged, qtbot):
    compare_with_itself(judged, qtbot)
    judged.controller.act_on(1)
    judged.controller.set_value("smoothness", 0.2)
    judged.controller.act_on(None)
    judged.controller.set_neurons(CONV1)
    lanes = judged.controller.ask(lambda s: [lane.settings for lane in s.lanes]).result(30)
    assert [one.smoothness for one in lanes] == pytest.approx([0.1 * SHARE, 0.2 * SHARE], rel=1e-3)
    assert {one.discriminator_weight for one in lanes} == {0.0}


def test_the_log_has_ordinary_changes(judged):
    judged.controller.set_neurons(CONV1)
    recipe = judged.controller.ask(lambda s: [(e.name, e.value) for e in s.log]).result(30)
    names = [name for name, _ in recipe if name != "plan"]
    assert names == ["neurons", "views_of", "smoothness", "discriminator_weight"]
