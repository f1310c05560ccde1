"""Feature: the neuron picker."""
