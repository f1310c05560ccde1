"""Sentences that a person could misread."""

from __future__ import annotations

from PyQt6.QtWidgets import QLabel

from ldam_studio.gui.picker.neuron_lists import NO_STARS
from ldam_studio.gui.watch.panel import WatchPanel
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import SETTINGS


def test_rounds_are_called_as_in_the_manual(qtbot):
    panel = WatchPanel()
    qtbot.addWidget(panel)
    label = SETTINGS["discriminator_rounds"].label
    assert label in [each.text() for each in panel.findChildren(QLabel)]
    panel.show_rounds(3, True)
    assert panel.rounds.text() == "3"


def test_all_of_a_layer_with_more_neurons_than_chains_says_how_many_are_shown(studio, qtbot):
    layers = studio.model.outline.lane.network.layer
    for name, count in (("fc1", 120), ("fc2", 84)):
        studio.controller.spread(layers(name))
        assert studio.banner.texts() == (
            f"{name} has {count} neurons; the first 64 are shown, one per chain. More chains "
            "show more of them.",
        )
    studio.controller.set_neurons(Neuron("fc3", 0))
    assert studio.banner.texts() == ()
    assert "starred" in NO_STARS
