"""LDAM Studio: watch Langevin chains draw what a network's neurons respond to."""

__version__ = "0.1.0"
