"""Neurons as thumbnails in a window of its own: what contact sheets and atlases have in common."""
