"""The terms of the log-density; each has its own file."""

from __future__ import annotations

from ldam_studio.sampler.terms.activation import Activation
from ldam_studio.sampler.terms.denoiser import Denoiser
from ldam_studio.sampler.terms.discriminator import Discriminator
from ldam_studio.sampler.terms.l2 import L2
from ldam_studio.sampler.terms.natural_l2 import NaturalL2
from ldam_studio.sampler.terms.repulsion import Repulsion
from ldam_studio.sampler.terms.smoothness import Smoothness
from ldam_studio.sampler.terms.term import Term

TERMS: tuple[Term, ...] = (
    Activation(),
    Discriminator(),
    L2(),
    Smoothness(),
    NaturalL2(),
    Denoiser(),
    Repulsion(),
)
"""All terms, in the order in which a step adds them; the order affects the pixels' last bits."""

__all__ = ["TERMS", "Term"]
