"""What is looked at: networks, their layers and neurons, the pixels they take, their weights."""
