"""The images: the front chain's panes, and the strip of all chains."""
