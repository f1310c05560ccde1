"""Opening networks, pictures and weights."""
