"""What is worth knowing of a neuron without sampling: what feeds it, and its filter."""
