"""The discriminator's opinion of whether an image is real."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.terms.term import SourceTerm


class Discriminator(SourceTerm):
    """w log D(x), where D is the probability that x is real (arXiv 1812.04604, section 3)."""

    name = "discriminator"
    setting = "discriminator_weight"
    source = "discriminator"

    def factor(self, weight: Tensor) -> Tensor:
        """Return w."""
        return weight
