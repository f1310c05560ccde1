"""Training: classifiers, the discriminator, and the images they learn from."""

from ldam_studio.training.checkpoint_writer import CheckpointWriter

__all__ = ["CheckpointWriter"]
