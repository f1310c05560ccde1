"""The neuron picker."""
