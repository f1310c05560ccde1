"""Modes: the different images that the chains of a neuron have found, grouped as they come."""
