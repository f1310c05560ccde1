"""Feature: whether the chains of each neuron agree, in words and in numbers."""
