"""Measures of what chains draw: judges, intervals, how many images a neuron has."""
