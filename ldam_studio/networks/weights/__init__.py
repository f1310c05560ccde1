"""Files of weights, read safely."""
