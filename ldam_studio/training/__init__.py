"""Training: classifiers, the discriminator, and the images from which they learn."""

from ldam_studio.training.checkpoint_writer import CheckpointWriter

__all__ = ["CheckpointWriter"]
