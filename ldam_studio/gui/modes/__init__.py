"""Feature: the gallery of modes, the different images that the front neuron's chains have found."""
