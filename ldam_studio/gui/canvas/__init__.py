"""The images: panes of the front chain, and the strip of all chains."""
