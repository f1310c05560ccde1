"""The moments of photographs at the layers of a network."""
