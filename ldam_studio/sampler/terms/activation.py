"""The activation of the neuron that the chains look at."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.terms.term import SourceTerm


class Activation(SourceTerm):
    """(1 - w) a(x) with the discriminator weight w (Jiang et al., arXiv 1812.04604, section 3).

    It is evaluated in every step, because the activation is displayed and used for burn-in.
    """

    name = "activation"
    setting = "discriminator_weight"
    source = "network"
    always = True

    def factor(self, weight: Tensor) -> Tensor:
        """Return 1 - w."""
        return 1 - weight
