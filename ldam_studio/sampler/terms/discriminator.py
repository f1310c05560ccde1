"""What a second network takes for a real image."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.terms.term import SourceTerm


class Discriminator(SourceTerm):
    """w log D(x), D the probability that x is real (Jiang et al., arXiv 1812.04604, section 3)."""

    name = "discriminator"
    setting = "discriminator_weight"
    source = "discriminator"

    def factor(self, weight: Tensor) -> Tensor:
        """Return w."""
        return weight
