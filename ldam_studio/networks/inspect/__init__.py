"""What can be said about a neuron without sampling: its inputs, and its filter."""
