"""Watching a network while it is trained: its checkpoints, and the training process."""
