"""Training: classifiers, the discriminator, and the images they learn from."""

from ldam_studio.training.checkpoints import CheckpointWriter

__all__ = ["CheckpointWriter"]
