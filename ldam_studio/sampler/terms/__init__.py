"""The terms of the log-density, one file for each."""

from __future__ import annotations

from ldam_studio.sampler.terms.activation import Activation
from ldam_studio.sampler.terms.discriminator import Discriminator
from ldam_studio.sampler.terms.l2 import L2
from ldam_studio.sampler.terms.smoothness import Smoothness
from ldam_studio.sampler.terms.term import Term

TERMS: tuple[Term, ...] = (Activation(), Discriminator(), L2(), Smoothness())
"""All terms, in the order in which a step adds them up: pixels depend on it in their last bits."""

__all__ = ["TERMS", "Term"]
