"""Real images beside drawn ones: an index of what excites every neuron, and questions to it."""
