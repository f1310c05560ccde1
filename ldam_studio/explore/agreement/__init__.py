"""Whether the chains of a neuron agree, in numbers and in words."""
