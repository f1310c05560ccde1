"""Training: classifiers, the discriminator, and the digits they learn from."""
