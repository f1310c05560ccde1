"""Networks: their layers and neurons, the pixels they take, their weights and their sources."""
