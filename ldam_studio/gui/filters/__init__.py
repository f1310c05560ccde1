"""Feature: the filter of a first-layer neuron, beside the average of its chain."""
