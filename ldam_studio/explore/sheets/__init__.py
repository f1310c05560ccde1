"""Contact sheets: a picture of every neuron of a layer, each from a few chains of its own."""
