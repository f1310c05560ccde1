"""Atlases in the window: looking through the folder of one, and drawing one in the background."""
