"""Sessions without a window: rendering, replaying, training and the paper's figures."""
