"""Atlases: a picture of every neuron of many layers, drawn by the workers of a Dask cluster."""
