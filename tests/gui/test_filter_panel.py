"""The filter beside the average, where there is a filter."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel

from gui import fakes
from ldam_studio.gui.filters.panel import FilterPanel
from ldam_studio.networks.inspect.filters import first_layer_filter
from ldam_studio.networks.neurons import Neuron


@pytest.fixture
def panel(qtbot):
    made = FilterPanel()
    qtbot.addWidget(made)
    made.set_network(fakes.lenet())
    return made


def _frame(neuron, average, network=None):
    neurons = (Neuron("fc3", 0), neuron)
    field = fakes.lenet().receptive_field(neuron.layer)
    return fakes.frame(chains=2, neurons=neurons, front=1, average=average, field=field).lanes[0]


def _texts(panel):
    return [label.text() for label in panel.findChildren(QLabel)]


def test_it_shows_itself_for_the_first_layer_only(panel):
    average = np.ones((1, 28, 28), np.float32)
    panel.show_frame(_frame(Neuron("fc3", 4), average))
    assert not panel.isVisible()
    panel.show_frame(_frame(Neuron("conv1", 4), average))
    assert panel.isVisible()
    assert "Filter and average of conv1:4" in _texts(panel)
    panel.show_frame(_frame(Neuron("conv2", 4), average))
    assert not panel.isVisible()


def test_an_average_that_is_the_filter_has_cosine_one(panel):
    network = fakes.lenet()
    kernel = first_layer_filter(network, Neuron("conv1", 2)).numpy()
    top, left, bottom, right = network.receptive_field("conv1")
    average = np.random.default_rng(0).normal(size=(1, 28, 28)).astype(np.float32)
    average[:, top:bottom, left:right] = 0.3 * kernel
    average.setflags(write=False)
    panel.show_frame(_frame(Neuron("conv1", 2), average))
    assert "Cosine 1.000" in _texts(panel)
    pictures = [w._image for w in (panel._filter, panel._average)]
    np.testing.assert_allclose(*(p.astype(int) for p in pictures), atol=1)
    assert pictures[0].shape == (5, 5, 3)


def test_before_the_first_sample_it_says_so(panel):
    panel.show_frame(_frame(Neuron("conv1", 0), None))
    assert "No samples in the average yet." in _texts(panel)
    panel.grab()


def test_another_network_starts_hidden(panel):
    panel.show_frame(_frame(Neuron("conv1", 0), np.ones((1, 28, 28), np.float32)))
    assert panel.isVisible()
    panel.set_network(None)
    assert not panel.isVisible()
