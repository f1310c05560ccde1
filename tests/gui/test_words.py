"""Sentences that a person could misread."""

from __future__ import annotations

from PyQt6.QtWidgets import QLabel

from ldam_studio.gui.picker import NO_STARS
from ldam_studio.gui.watch_panel import WatchPanel
from ldam_studio.sampler.settings import SETTINGS


def test_rounds_are_called_as_in_the_manual(qtbot):
    panel = WatchPanel()
    qtbot.addWidget(panel)
    label = SETTINGS["discriminator_rounds"].label
    assert label in [each.text() for each in panel.findChildren(QLabel)]
    panel.show_rounds(3, True)
    assert panel.rounds.text() == "3"


def test_all_of_a_layer_with_more_neurons_than_chains_says_how_many_are_shown(studio, qtbot):
    said = []
    studio.controller.said.connect(lambda text, _kind: said.append(text))
    layers = studio.model.session.network.layer
    chains = len(studio.model.session.neurons)
    studio.controller.set_neurons(layers("fc1"))
    assert said == [
        f"Of fc1's 120 neurons the first {chains} are shown, one for each chain; more chains show "
        "more."
    ]
    assert "starred" in NO_STARS
